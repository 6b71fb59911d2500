// SPDX-License-Identifier: AGPL-3.0-or-later

import { validate } from "../util/validate.ts";
import { z } from "../util/zod.ts";
import { matcherFields } from "./silence.ts";
import type { NewSilence } from "./silences.ts";

const LONGEST_SECONDS = 366 * 86_400;
const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

const time = z.union([
  z.number().min(0),
  z.iso.datetime({ offset: true }).transform((text) => Date.parse(text) / 1_000),
]);

const duration = z
  .string()
  .regex(/^\d{1,6}[smhd]$/, "must be like 90m, 8h or 2d")
  .transform((text) => Number(text.slice(0, -1)) * (UNIT_SECONDS[text.slice(-1)] ?? 1));

/** A silence as an operator asks for it, by API or command line. */
const silenceFields = z.strictObject({
  matchers: matcherFields,
  reason: z.string().trim().min(1).max(512),
  author: z.string().trim().min(1).max(128),
  starts: time.optional(),
  ends: time.optional(),
  duration: duration.optional(),
});

/** The silence, or in words what is wrong with it. It needs an end: `ends`, or `duration`, like "8h". */
export function readSilence(
  input: unknown,
  nowMs: number,
): { readonly silence: NewSilence } | { readonly problem: string } {
  const result = validate(silenceFields, input ?? {});
  if ("problems" in result) {
    const problems = result.problems.map(({ path, message }) => `${path.join(".")}: ${message}`);
    return { problem: problems.join("; ") };
  }
  const { matchers, reason, author, starts = nowMs / 1_000, ends: given, duration } = result.value;
  if ((given === undefined) === (duration === undefined)) {
    return { problem: "give its end as one of ends and duration: a silence must not be forgotten" };
  }
  const ends = given ?? starts + (duration ?? 0);
  if (ends <= Math.max(starts, nowMs / 1_000)) return { problem: "ends: is not in the future" };
  if (ends - starts > LONGEST_SECONDS) return { problem: "ends: is more than a year away" };
  return { silence: { matchers, reason, author, starts, ends } };
}
