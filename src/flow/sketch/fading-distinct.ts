// SPDX-License-Identifier: AGPL-3.0-or-later
// Distinct counts that fade: small HyperLogLog sketches in pairs, of the present span of time and of the one before.
import { i32, u8 } from "../../util/typed.ts";
import { estimateDistinct, observeDistinct } from "./hyperloglog.ts";

/** 128 registers: 9 % off, counts below 20 nearly exact. */
const PRECISION = 7;
const REGISTERS = 1 << PRECISION;
/** Bytes of one count; 0 at its start. */
export const FADING_BYTES = 2 * REGISTERS;

/** The larger registers of the pair at hand. */
const union = new Uint8Array(REGISTERS);

export function observeFading(sketches: Uint8Array, at: number, hash: number): void {
  observeDistinct(sketches, at, PRECISION, hash);
}

/**
 * True where the span whose first second stands in `rows[at]` has lasted `spanMs`: the caller turns its sketches. The
 * second is kept here; `isNew` begins the first span.
 */
export function isSpanOver(
  rows: Int32Array,
  at: number,
  isNew: boolean,
  timeMs: number,
  spanMs: number,
): boolean {
  const second = Math.trunc(timeMs / 1000) | 0;
  const isOver = !isNew && ((second - i32(rows, at)) | 0) * 1000 >= spanMs;
  if (isNew || isOver) rows[at] = second;
  return isOver;
}

/** Begins a new span: the present one becomes the one before. */
export function turnFading(sketches: Uint8Array, at: number): void {
  sketches.copyWithin(at + REGISTERS, at, at + REGISTERS);
  sketches.fill(0, at, at + REGISTERS);
}

/** Distinct elements of both spans, rounded. */
export function estimateFading(sketches: Uint8Array, at: number): number {
  for (let register = 0; register < REGISTERS; register++) {
    const present = u8(sketches, at + register);
    union[register] = Math.max(present, u8(sketches, at + REGISTERS + register));
  }
  return Math.round(estimateDistinct(union, 0, PRECISION));
}
