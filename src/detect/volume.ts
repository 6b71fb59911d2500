// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import { AskedFor } from "./asked-for.ts";
import { scaleOf } from "./baseline/scale.ts";
import type { Detector, DetectorDefinition, Finding, SignalState, Tick } from "./detector.ts";
import { type Episode, Episodes } from "./episodes.ts";
import { Hysteresis } from "./guards.ts";
import { protocolFilter, signalQuery } from "./suggestions.ts";
import { duration, number, rate } from "./text.ts";

const minimum = z.number().gt(0);

const settings = z.strictObject({
  z: z
    .number()
    .gt(0)
    .default(6)
    .describe("Standard deviations from the baseline, in 3 of 5 ticks, that are told."),
  warning_z: z
    .number()
    .gt(0)
    .default(12)
    .describe("Standard deviations from the baseline that are a warning when they last."),
  warning_seconds: z
    .number()
    .min(0)
    .default(300)
    .describe("Seconds after which a deviation of warning_z is a warning."),
  warning_hours: z
    .number()
    .min(0)
    .default(24)
    .describe(
      "Hours of traffic a baseline must know before a deviation is a warning: who has not seen a day does not know what is usual on it.",
    ),
  minimum_packets: minimum
    .default(20)
    .describe("Deviations of less than this many packets a second are ignored."),
  minimum_bytes: minimum
    .default(20_000)
    .describe("Deviations of less than this many bytes a second are ignored."),
  minimum_messages: minimum
    .default(20)
    .describe("Deviations of less than this many messages a second are ignored."),
  minimum_flows: minimum
    .default(20)
    .describe("Deviations of less than this many flows a second are ignored."),
});
type Settings = z.infer<typeof settings>;

/** So many times the limit needs no second opinion, which comes every ten seconds only. */
const DOUBTLESS = 2;

/** Far more traffic than usual. */
export const volumeSpike = volumeDefinition(
  "volume_spike",
  "A rate is far above its baseline (guarded EWMA on a logarithmic scale), and, unless it is twice as far, above the median of the last hour; rates that rise together are one event. Never a warning on the first day, nor while most bytes are downloads or one transfer.",
);

/** Far less traffic than usual. */
export const volumeDrop = volumeDefinition(
  "volume_drop",
  "A rate that is never low is far below its baseline; silent while packets are lost or the capture is disturbed. Never a warning on the first day.",
);

function volumeDefinition(
  name: "volume_spike" | "volume_drop",
  help: string,
): DetectorDefinition<Settings> {
  return {
    name,
    class: "volume",
    help,
    severities: ["info", "warning"],
    settings,
    quietSeconds: 60,
    statistical: true,
    alarmsPerWeek: 50,
    create: (own) => new Volume(name, own),
  };
}

class Volume implements Detector {
  readonly #name: "volume_spike" | "volume_drop";
  readonly #settings: Settings;
  readonly #minimums: Readonly<Record<string, number>>;
  readonly #signals = new Map<string, Hysteresis>();
  readonly #robust = new Map<string, SignalState>();
  readonly #episodes = new Episodes<SignalState>();
  readonly #askedFor = new AskedFor();

  constructor(name: "volume_spike" | "volume_drop", own: Settings) {
    this.#name = name;
    this.#settings = own;
    this.#minimums = {
      packets: own.minimum_packets,
      bytes: own.minimum_bytes,
      messages: own.minimum_messages,
      flows: own.minimum_flows,
    };
  }

  evaluate(tick: Tick): Finding[] {
    this.#askedFor.update(tick);
    if (tick.tainted && this.#name === "volume_drop") return [];
    if (this.#name === "volume_spike") {
      for (const state of tick.signals) {
        if (state.baseline === "robust") this.#robust.set(state.name, state);
      }
    }
    const anomalous = tick.signals.filter((signal) => this.#isAnomalous(signal));
    return this.#episodes
      .update(anomalous, tick.elapsedMs)
      .map((episode) => this.#finding(episode, tick));
  }

  #isAnomalous(signal: SignalState): boolean {
    const minimum = this.#minimums[signal.unit];
    if (signal.baseline !== "ewma" || minimum === undefined || !signal.ready) return false;
    const direction = this.#name === "volume_spike" ? 1 : -1;
    const matters = direction * (signal.value - signal.mean) >= minimum;
    const { z } = this.#settings;
    const far = direction * signal.z;
    const mayBegin = (): boolean =>
      (far >= DOUBTLESS * z || this.#robustAgrees(signal.name)) &&
      direction * ownDeviation(signal) >= z;
    const score = !matters ? 0 : far <= z / 2 || mayBegin() ? far : z / 2;
    let hysteresis = this.#signals.get(signal.name);
    if (!hysteresis) {
      hysteresis = new Hysteresis();
      this.#signals.set(signal.name, hysteresis);
    }
    return hysteresis.update(score, z, z / 2);
  }

  /**
   * Whether the last mean of ten seconds, too, is far above the median of the last hour: most bursts of a few seconds are
   * over when it is known. Of drops it is not asked: in its scale, which is not logarithmic, nothing is far below a median.
   */
  #robustAgrees(name: string): boolean {
    const robust = this.#robust.get(name);
    return robust === undefined || !robust.ready || robust.z >= this.#settings.z;
  }

  #finding(episode: Episode<SignalState>, tick: Tick): Finding {
    const [signal] = episode.members;
    const seconds = (tick.elapsedMs - episode.startedMs) / 1000 + tick.seconds;
    const { z } = this.#settings;
    return {
      entity: { kind: "signal", key: episode.leader, signal: episode.leader },
      severity: this.#isGrave(signal, seconds) ? "warning" : "info",
      protocol: signal.protocol,
      observed: signal.value,
      expected: signal.mean,
      z: signal.z,
      threshold: { value: z, setting: `detectors.${this.#name}.z` },
      windowSeconds: tick.seconds,
      samples: signal.samples,
      evidence: episode.members.slice(0, 5).map(describe),
      explanation: this.#explain(signal, episode.members.length - 1, seconds),
      suggestion: {
        wireshark_filter: protocolFilter(signal.protocol),
        promql: signalQuery(signal.name),
      },
    };
  }

  #isGrave({ z, samples }: SignalState, seconds: number): boolean {
    const { warning_z, warning_seconds, warning_hours } = this.#settings;
    if (Math.abs(z) < warning_z || seconds < warning_seconds) return false;
    return samples >= warning_hours * 3600 && !(z > 0 && this.#askedFor.holds);
  }

  #explain(signal: SignalState, others: number, seconds: number): string {
    const { name, value, mean, unit } = signal;
    const far = this.#name === "volume_spike" ? "far above" : "far below";
    const along = others > 0 ? `, and ${number(others)} more signals with it` : "";
    return `${name} is at ${rate(value, unit)}, ${far} its usual ${rate(mean, unit)}, for ${duration(seconds)} now${along}.`;
  }
}

/**
 * Standard deviations of this tick's value alone. The baseline judges values smoothed over five seconds, in which one
 * loud second echoes for several: an echo keeps an anomaly up, and begins none.
 */
export function ownDeviation({ unit, value, mean, stddev }: SignalState): number {
  const { forward } = scaleOf(unit);
  const level = forward(mean);
  const sigma = forward(mean + stddev) - level;
  return sigma > 0 ? (forward(value) - level) / sigma : 0;
}

function describe({ name, value, mean, unit, z }: SignalState): string {
  return `${name}: ${rate(value, unit)}, usually ${rate(mean, unit)} (z ${number(z)})`;
}
