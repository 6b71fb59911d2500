// SPDX-License-Identifier: AGPL-3.0-or-later

/** Bytes `[at, end)` of `view` as an array over the same memory; it costs an object, so not on the common path. */
export function bytesOf(view: DataView, at: number, end: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, end - at);
}
