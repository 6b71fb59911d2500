// SPDX-License-Identifier: AGPL-3.0-or-later
// Element access for the hot path. `noUncheckedIndexedAccess` types every element as possibly undefined; these
// functions hold the one cast each, for indices the caller has already bounded. One function per array type
// keeps each access site monomorphic for the JIT, which inlines them.

export function u8(array: Uint8Array, index: number): number {
  return array[index] as number;
}

export function u16(array: Uint16Array, index: number): number {
  return array[index] as number;
}

export function u32(array: Uint32Array, index: number): number {
  return array[index] as number;
}

export function i32(array: Int32Array, index: number): number {
  return array[index] as number;
}

export function f64(array: Float64Array, index: number): number {
  return array[index] as number;
}

/** `array[index] += amount` for counter cells. */
export function add(array: Float64Array, index: number, amount: number): void {
  array[index] = (array[index] as number) + amount;
}
