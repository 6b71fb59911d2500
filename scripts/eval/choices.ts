// SPDX-License-Identifier: AGPL-3.0-or-later
// npx tsx scripts/eval/choices.ts: the measurements behind two choices that are not detectors' results: which baseline
// judges volume, and how much drift forgives. Seeded; a minute.
import { Signal } from "../../src/detect/baseline/signal.ts";
import type { SignalState } from "../../src/detect/detector.ts";
import { guardSettings, Hysteresis } from "../../src/detect/guards.ts";
import { Minutes } from "../../src/detect/minute-drift.ts";
import { ownDeviation } from "../../src/detect/volume.ts";
import { percent, quantileText, table } from "./section.ts";
import { benignTraffic } from "./traffic.ts";

const DAY_SECONDS = 86_400;
const SERIES = 12;
const BASE = 20;
type Rule = readonly [name: string, score: (states: Signal["states"]) => number];
/** Each baseline by itself, what volume_spike does, and that with the robust baseline's consent. */
const RULES: readonly Rule[] = [
  ["rolling", ([rolling]) => scoreOf(rolling)],
  ["ewma", ([, ewma]) => scoreOf(ewma)],
  ["robust", ([, , robust]) => scoreOf(robust)],
  ["seasonal", ([, , , seasonal]) => scoreOf(seasonal)],
  ["ewma and robust", ([, ewma, robust]) => Math.min(scoreOf(ewma), scoreOf(robust))],
  ["ewma, and the tick itself", ([, ewma]) => loudScore(ewma)],
  ["volume_spike: the same and robust below 12", ([, ewma, robust]) => sureScore(ewma, robust)],
];
/** As in volume_spike: standard deviations, packets a second, and the silence after an alarm. */
const LIMIT = 6;
const LEAST = 20;
const COOL_DOWN_SECONDS = 900;
/** A flood of ten times the usual, for 20 minutes, after a day and a half. */
const FLOOD = { at: 1.5 * DAY_SECONDS, seconds: 1200, factor: 11 };

const DRIFT_DAYS = 14;
const MINUTES_OF_DAY = 1440;
const SLACKS = [0.5, 1, 1.5, 2, 2.5, 3];
const LIMITS = [10, 30, 60, 120];
const RAMP_STEP = 1.01;
const RAMP_MOST = 20;
const UNIT = "packets";

console.log(baselineTable());
console.log(driftTable());

/** Every baseline of a signal under the rule of volume_spike: false alarms, and a flood. */
function baselineTable(): string {
  const runs = Array.from({ length: SERIES }, (_, series) => run(series));
  const rows = RULES.map(([name], at) => {
    const own = runs.map((result) => result[at] ?? { alarms: 0, delay: null, held: 0 });
    const found = own.map(({ delay }) => delay).filter((delay) => delay !== null);
    const held = own.reduce((sum, { held }) => sum + held, 0);
    return [
      name,
      (own.reduce((sum, { alarms }) => sum + alarms, 0) / (SERIES * 1.5)).toFixed(2),
      percent(found.length, SERIES),
      quantileText(found, 0.5),
      percent(held, SERIES * FLOOD.seconds),
    ];
  });
  return table(
    ["Rule", "False alarms a series-day", "Flood found", "After, median", "Held of 20 min"],
    rows,
  );
}

interface Result {
  alarms: number;
  delay: number | null;
  held: number;
}

function run(series: number): Result[] {
  const guards = guardSettings.parse({});
  const limits = { warmupSamples: guards.warmup_seconds, freezeSamples: guards.freeze_seconds };
  const signal = new Signal({ name: `s${series}`, unit: UNIT, protocol: "all" }, limits);
  const traffic = benignTraffic(BASE, 5000 + series);
  const judges = RULES.map(() => ({ hysteresis: new Hysteresis(), quietUntil: 0, was: false }));
  const results = RULES.map((): Result => ({ alarms: 0, delay: null, held: 0 }));
  for (let at = 0; at < FLOOD.at + FLOOD.seconds; at++) {
    const inFlood = at >= FLOOD.at;
    const value = traffic.next(at) * (inFlood ? FLOOD.factor : 1);
    signal.observe(value, { seconds: 1, timeMs: at * 1000, learn: true });
    for (const [index, judge] of judges.entries()) {
      const result = results[index];
      if (!result) continue;
      const score = RULES[index]?.[1](signal.states) ?? 0;
      const isOn = judge.hysteresis.update(score, LIMIT, LIMIT / 2);
      if (inFlood && isOn) {
        result.delay ??= at - FLOOD.at + 1;
        result.held++;
      } else if (isOn && !judge.was && at >= judge.quietUntil) result.alarms++;
      if (isOn) judge.quietUntil = at + COOL_DOWN_SECONDS;
      judge.was = isOn;
    }
  }
  return results;
}

function scoreOf(state: SignalState): number {
  return state.ready && state.value - state.mean >= LEAST ? state.z : 0;
}

function loudScore(state: SignalState): number {
  const score = scoreOf(state);
  return ownDeviation(state) >= LIMIT ? score : Math.min(score, LIMIT / 2);
}

function sureScore(ewma: SignalState, robust: SignalState): number {
  const score = loudScore(ewma);
  return score >= 2 * LIMIT ? score : Math.min(score, Math.max(LIMIT / 2, scoreOf(robust)));
}

/** Drifts told of harmless days, and how long a ramp of 1 % a minute stays unseen, by slack and limit. */
function driftTable(): string {
  const days = Array.from({ length: SERIES }, (_, series) => minuteMeans(series));
  const rows = SLACKS.map((slack) => [
    String(slack),
    ...LIMITS.map((limit) => {
      const told = days.map((means) => driftsOf(means, { slack, limit }).length);
      const delays = days.map((means) => rampDelay(means, { slack, limit }));
      const seen = delays.filter((delay) => delay !== null);
      const week = (7 * told.reduce((sum, count) => sum + count, 0)) / (SERIES * DRIFT_DAYS);
      return `${week.toFixed(2)}, ${seen.length < SERIES ? `${percent(seen.length, SERIES)} seen` : quantileText(seen, 0.5, " h")}`;
    }),
  ]);
  return table(["Slack", ...LIMITS.map((limit) => `Limit ${limit}`)], rows);
}

function minuteMeans(series: number): number[] {
  const traffic = benignTraffic(BASE, 7000 + series);
  return Array.from({ length: DRIFT_DAYS * MINUTES_OF_DAY }, (_, minute) => {
    let sum = 0;
    for (let second = 0; second < 60; second++) sum += traffic.next(60 * minute + second);
    return sum / 60;
  });
}

/** Minutes at which a drift is told. */
function driftsOf(means: readonly number[], own: { slack: number; limit: number }): number[] {
  const minutes = new Minutes();
  const told: number[] = [];
  for (const [at, mean] of means.entries()) {
    if (minutes.add(mean, UNIT, own) === 0) continue;
    told.push(at);
    minutes.settle(mean, UNIT);
  }
  return told;
}

/** Hours from the begin of a ramp, after a week, to the first drift; null where it is not seen within 6 h. */
function rampDelay(means: readonly number[], own: { slack: number; limit: number }): number | null {
  const start = 7 * MINUTES_OF_DAY;
  const end = start + 360;
  const ramped = means
    .slice(0, end)
    .map((mean, at) => mean * Math.min(RAMP_MOST, RAMP_STEP ** Math.max(0, at - start)));
  const first = driftsOf(ramped, own).find((at) => at >= start);
  return first === undefined ? null : (first - start) / 60;
}
