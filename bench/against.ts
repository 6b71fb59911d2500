// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Row } from "./bench.ts";

/** A hostile packet may take so many times as long as a good one. */
const MOST = 3;

/** A row for each hostile packet, by nanoseconds, against a good one of the same kind. */
export function rowsAgainst(
  hostile: Readonly<Record<string, number>>,
  against: string,
  good: number,
  say: (line: string) => void,
): Row[] {
  return Object.entries(hostile).map(([what, nanoseconds]) => {
    const ratio = nanoseconds / good;
    say(`${what}: ${nanoseconds.toFixed(0)} ns; ${against}: ${good.toFixed(0)} ns`);
    return {
      what: `decoding, ${what}`,
      measured: `${nanoseconds.toFixed(0)} ns`,
      against: `${good.toFixed(0)} ns for ${against}`,
      ratio,
      goal: `at most ${MOST}`,
      met: ratio <= MOST,
    };
  });
}
