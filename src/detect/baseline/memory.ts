// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../../util/zod.ts";
import { ROLLING_SAMPLES } from "./rolling.ts";
import { WEEK_HOURS } from "./week-ago.ts";

const series = (length: number) => z.array(z.number()).length(length);
const samples = z.int().min(0);

/** What a guarded EWMA knows. */
export const ewmaMemory = z.strictObject({
  samples,
  smoothed: z.number(),
  level: z.number(),
  deviation: z.number().min(0),
  frozen: samples,
  candidates: samples,
  candidateLevel: z.number(),
  candidateDeviation: z.number().min(0),
});
export type EwmaMemory = z.infer<typeof ewmaMemory>;

/** What a signal's baselines know, as plain numbers: what is kept over a restart. */
export const signalMemory = z.strictObject({
  rolling: z.array(z.number()).max(ROLLING_SAMPLES),
  ewma: ewmaMemory,
  robust: z.array(z.number()).max(360),
  seasonal: z.strictObject({
    samples,
    level: z.number(),
    variance: z.number().min(0),
    day: series(48),
    dayVisits: series(48),
    week: series(168),
    weekVisits: series(168),
  }),
  /** Files of earlier versions have none. */
  week: z
    .array(z.tuple([z.int().min(1), z.number().min(0)]))
    .max(WEEK_HOURS)
    .default([]),
});
export type SignalMemory = z.infer<typeof signalMemory>;

/** Memory of every signal, by name and unit. */
export const bankMemory = z.record(z.string(), signalMemory);
export type BankMemory = z.infer<typeof bankMemory>;
