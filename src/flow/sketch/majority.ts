// SPDX-License-Identifier: AGPL-3.0-or-later
// Finds who has most of the votes in a few words of a row (Boyer and Moore's majority vote): if one address has more
// than half of them it is the candidate, otherwise the candidate is one of many.
import { formatAddress } from "../../util/address.ts";
import { i32 } from "../../util/typed.ts";

/** Words a vote takes in a row, 0 at its start. */
export const MAJORITY_WORDS = 6;
const BALANCE = 0;
const SEEN = 1;
const CANDIDATE = 2;

export function vote(
  rows: Int32Array,
  at: number,
  word0: number,
  word1: number,
  word2: number,
  word3: number,
): void {
  const candidate = at + CANDIDATE;
  const balance = i32(rows, at + BALANCE);
  if (balance === 0) {
    rows[at + BALANCE] = 1;
    rows[at + SEEN] = 1;
    rows[candidate] = word0;
    rows[candidate + 1] = word1;
    rows[candidate + 2] = word2;
    rows[candidate + 3] = word3;
    return;
  }
  const isCandidate =
    i32(rows, candidate + 3) === word3 &&
    i32(rows, candidate + 2) === word2 &&
    i32(rows, candidate + 1) === word1 &&
    i32(rows, candidate) === word0;
  rows[at + BALANCE] = isCandidate ? balance + 1 : balance - 1;
  if (isCandidate) rows[at + SEEN] = i32(rows, at + SEEN) + 1;
}

/** Last word of the candidate. */
export function candidateWord(rows: Int32Array, at: number): number {
  return i32(rows, at + CANDIDATE + 3);
}

/** Text of the candidate's address. */
export function candidateAddress(rows: Int32Array, at: number): string {
  const word = (index: number): number => i32(rows, at + CANDIDATE + index);
  return formatAddress(word(0), word(1), word(2), word(3));
}

/** Votes the candidate has got since it became one: at least so many in all. */
export function candidateVotes(rows: Int32Array, at: number): number {
  return i32(rows, at + SEEN);
}
