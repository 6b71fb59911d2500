// SPDX-License-Identifier: AGPL-3.0-or-later
// Zeroed memory for tables that are made at the start and stay. It is shared memory, because V8 does not count that when
// it decides whether to collect garbage: tables of a hundred megabytes in all, made within milliseconds, would have it
// look for garbage several times and find none. `npm run bench -- ways` prints what is gained.

/** For several views on the same bytes. */
export function lastingBytes(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(bytes);
}

export function lastingU8(length: number): Uint8Array {
  return new Uint8Array(lastingBytes(length));
}

export function lastingU16(length: number): Uint16Array {
  return new Uint16Array(lastingBytes(length * Uint16Array.BYTES_PER_ELEMENT));
}

export function lastingI32(length: number): Int32Array {
  return new Int32Array(lastingBytes(length * Int32Array.BYTES_PER_ELEMENT));
}

export function lastingF64(length: number): Float64Array {
  return new Float64Array(lastingBytes(length * Float64Array.BYTES_PER_ELEMENT));
}
