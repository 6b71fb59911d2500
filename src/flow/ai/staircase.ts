// SPDX-License-Identifier: AGPL-3.0-or-later
import { i32 } from "../../util/typed.ts";

/** Calls that are looked at. */
const STEPS = 6;
/** Words of a staircase: calls kept, streams among those of late, then when each began and what it sent, by time. */
const COUNT = 0;
const STREAMS = 1;
const FIRST_START = 2;
const FIRST_UP = FIRST_START + STEPS;
export const STAIRCASE_WORDS = FIRST_UP + STEPS;

/** A chat interface without memory is sent the whole history each time: of five steps, four go up, and far. */
const RISING_MIN = 4;
const RISE_MIN = 1.5;
const GAP_MS_MAX = 30_000;
export const SPAN_MS = 600_000;
const MOST = 0x7fffffff;

/** Notes a call in the staircase at `at`; calls of several connections may end in another order than they began. */
export function addStep(
  words: Int32Array,
  at: number,
  startMs: number,
  upBytes: number,
  isStream: boolean,
): void {
  const start = Math.trunc(startMs) | 0;
  const up = Math.min(upBytes, MOST);
  const count = i32(words, at + COUNT);
  if (isStream) words[at + STREAMS] = Math.min(i32(words, at + STREAMS) + 1, STEPS);
  let place = count;
  while (place > 0 && ((start - i32(words, at + FIRST_START + place - 1)) | 0) < 0) place--;
  if (count === STEPS) {
    // The oldest goes, unless this one is older still.
    if (place === 0) return;
    place--;
    move(words, at, 1, 0, place);
  } else {
    move(words, at, place, place + 1, count - place);
    words[at + COUNT] = count + 1;
  }
  words[at + FIRST_START + place] = start;
  words[at + FIRST_UP + place] = up;
}

function move(words: Int32Array, at: number, from: number, to: number, count: number): void {
  for (const first of [at + FIRST_START, at + FIRST_UP]) {
    words.copyWithin(first + to, first + from, first + from + count);
  }
}

/** Streams among the calls, as far as they count. */
export function streamsOf(words: Int32Array, at: number): number {
  return i32(words, at + STREAMS);
}

/** When the earliest call that is kept began. */
export function firstStart(words: Int32Array, at: number): number {
  return i32(words, at + FIRST_START);
}

/** True where the last calls grow from one to the next, as those of an agent do, and follow each other soon. */
export function isRising(words: Int32Array, at: number): boolean {
  if (i32(words, at + COUNT) < STEPS) return false;
  const start = (step: number): number => i32(words, at + FIRST_START + step);
  const up = (step: number): number => i32(words, at + FIRST_UP + step);
  if (((start(STEPS - 1) - start(0)) | 0) > SPAN_MS) return false;
  let rising = 0;
  let slow = 0;
  let least = up(0);
  for (let step = 1; step < STEPS; step++) {
    if (up(step) > up(step - 1)) rising++;
    if (((start(step) - start(step - 1)) | 0) > GAP_MS_MAX) slow++;
    least = Math.min(least, up(step));
  }
  // The median of five gaps is short where at most two of them are long.
  return rising >= RISING_MIN && 2 * slow < STEPS - 1 && up(STEPS - 1) >= RISE_MIN * least;
}
