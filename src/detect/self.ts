// SPDX-License-Identifier: AGPL-3.0-or-later

import { type CaptureWindow, DROP_STAGES } from "../flow/window.ts";
import { z } from "../util/zod.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { timeFilter } from "./suggestions.ts";
import { count, duration, number, percent } from "./text.ts";

const settings = z.strictObject({
  loss_ratio: z
    .number()
    .gt(0)
    .max(1)
    .default(0.01)
    .describe("Share of packets that are lost from which on it is told."),
  lag_seconds: z
    .number()
    .gt(0)
    .default(5)
    .describe("Seconds that the analysis may be behind the packets."),
  down_seconds: z.number().gt(0).default(10).describe("Seconds without any sensor that captures."),
  lasting_seconds: z.int().min(1).default(10).describe("Seconds that loss or lag must last."),
});
type Settings = z.infer<typeof settings>;

const CAPACITY = 512;
/** Fewer packets than this, lost or not, prove no share. */
const FEWEST = 100;

interface Trouble {
  readonly key: string;
  readonly observed: number;
  readonly limit: number;
  readonly setting: keyof Settings;
  readonly samples: number;
  readonly evidence: readonly string[];
  readonly explanation: string;
  readonly promql: string;
}

/** This agent does not see everything: what it says of the network is doubtful meanwhile. */
export const selfWatch: DetectorDefinition<Settings> = {
  name: "self",
  class: "agent",
  help: "The agent itself is in trouble: packets are lost, the analysis lags behind, or nothing is captured because a sensor does not run.",
  severities: ["warning"],
  settings,
  quietSeconds: 30,
  create: (own) => new SelfWatch(own),
};

class SelfWatch implements Detector {
  readonly #settings: Settings;
  /** Seconds that each trouble has lasted. */
  readonly #lasting = new BoundedMap<{ seconds: number; untilMs: number }>(CAPACITY);

  constructor(own: Settings) {
    this.#settings = own;
  }

  evaluate(tick: Tick): Finding[] {
    const own = this.#settings;
    const { capture } = tick.window;
    if (capture.length === 0) return this.#after(own.down_seconds, down(own, tick), tick);
    return capture.flatMap((window) => [
      ...this.#after(own.lasting_seconds, loss(window, own), tick),
      ...this.#after(own.lasting_seconds, lag(window, own), tick),
    ]);
  }

  /** The trouble as a finding once it has lasted, gaps of a second apart. */
  #after(seconds: number, trouble: Trouble | null, tick: Tick): Finding[] {
    if (!trouble) return [];
    const lasting = this.#lasting.use(trouble.key, () => ({ seconds: 0, untilMs: 0 }));
    const isNew = tick.elapsedMs - tick.seconds * 1000 - lasting.untilMs > 1000;
    lasting.seconds = (isNew ? 0 : lasting.seconds) + tick.seconds;
    lasting.untilMs = tick.elapsedMs;
    return lasting.seconds < seconds ? [] : [finding(trouble, lasting.seconds, tick)];
  }
}

function down(own: Settings, tick: Tick): Trouble {
  return {
    key: "no sensor",
    observed: own.down_seconds,
    limit: own.down_seconds,
    setting: "down_seconds",
    samples: tick.window.ticks,
    evidence: ["no sensor sent a window"],
    explanation: `Nothing is captured, because no sensor has run for ${duration(own.down_seconds)} or more: the log says why the last one ended.`,
    promql: "nam_capture_up",
  };
}

function loss(window: CaptureWindow, own: Settings): Trouble | null {
  const lost = DROP_STAGES.reduce((sum, stage) => sum + window.dropped[stage], 0);
  const share = lost / Math.max(1, window.received);
  if (window.received < FEWEST || share < own.loss_ratio) return null;
  const stages = DROP_STAGES.filter((stage) => window.dropped[stage] > 0);
  return {
    key: `${window.interface} loss`,
    observed: share,
    limit: own.loss_ratio,
    setting: "loss_ratio",
    samples: window.received,
    evidence: stages.map((stage) => `${stage}: ${count(window.dropped[stage], "packet")}`),
    explanation: `${percent(share)} of the packets on ${window.interface} are lost before they are analysed, so anomalies can be missed or wrong.`,
    promql: "rate(nam_capture_dropped_packets_total[1m])",
  };
}

function lag(window: CaptureWindow, own: Settings): Trouble | null {
  if (window.lagSeconds < own.lag_seconds) return null;
  return {
    key: `${window.interface} lag`,
    observed: window.lagSeconds,
    limit: own.lag_seconds,
    setting: "lag_seconds",
    samples: window.received,
    evidence: [
      `${number(window.lagSeconds)} s behind, the ring is ${percent(window.ringFill)} full`,
    ],
    explanation: `The analysis of ${window.interface} is ${number(window.lagSeconds)} s behind the traffic, so alarms come late: the machine is too slow or too busy.`,
    promql: "nam_capture_ring_fill_ratio",
  };
}

function finding(trouble: Trouble, seconds: number, tick: Tick): Finding {
  return {
    entity: { kind: "agent", key: trouble.key },
    severity: "warning",
    protocol: "all",
    observed: trouble.observed,
    expected: 0,
    threshold: { value: trouble.limit, setting: `detectors.self.${trouble.setting}` },
    windowSeconds: seconds,
    samples: trouble.samples,
    evidence: [...trouble.evidence, `for ${duration(seconds)}`],
    explanation: trouble.explanation,
    suggestion: { wireshark_filter: timeFilter(tick, seconds), promql: trouble.promql },
  };
}
