// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import type { Detector, DetectorDefinition, Finding, SignalState, Tick } from "./detector.ts";
import { type Episode, Episodes } from "./episodes.ts";
import { protocolFilter, signalQuery } from "./suggestions.ts";
import { number, rate } from "./text.ts";

const settings = z.strictObject({
  z: z
    .number()
    .gt(0)
    .default(6)
    .describe("Standard deviations from what is usual at this time that are told."),
  warning_z: z
    .number()
    .gt(0)
    .default(20)
    .describe("Standard deviations from what is usual at this time that are a warning."),
  minimum: z
    .number()
    .gt(0)
    .default(20)
    .describe("Deviations of less than this many packets, messages or flows a second are ignored."),
  minimum_bytes: z
    .number()
    .gt(0)
    .default(20_000)
    .describe("Deviations of less than this many bytes a second are ignored."),
});
type Settings = z.infer<typeof settings>;

/** Five minutes unlike this time of day, or this hour of the week. */
export const seasonal: DetectorDefinition<Settings> = {
  name: "seasonal",
  class: "volume",
  help: "The mean of five minutes is unlike what is usual at this half-hour of the day or hour of the week; says nothing on the first day, and knows a time of day after three of them.",
  severities: ["info", "warning"],
  settings,
  quietSeconds: 60,
  statistical: true,
  alarmsPerWeek: 20,
  create: (own) => new Seasonal(own),
};

class Seasonal implements Detector {
  readonly #settings: Settings;
  readonly #episodes = new Episodes<SignalState>();

  constructor(own: Settings) {
    this.#settings = own;
  }

  evaluate(tick: Tick): Finding[] {
    const away = tick.signals.filter((signal) => this.#isAway(signal, tick.tainted));
    return this.#episodes
      .update(away, tick.elapsedMs)
      .map((episode) => this.#finding(episode, tick));
  }

  /** Lost packets make every rate low: a drop is not believed then. */
  #isAway({ baseline, ready, unit, z, value, mean }: SignalState, tainted: boolean): boolean {
    if (baseline !== "seasonal" || !ready || unit === "ratio") return false;
    if (Math.abs(z) < this.#settings.z || (tainted && z < 0)) return false;
    const { minimum, minimum_bytes: bytes } = this.#settings;
    return Math.abs(value - mean) >= (unit === "bytes" ? bytes : minimum);
  }

  #finding({ leader, members }: Episode<SignalState>, tick: Tick): Finding {
    const [signal] = members;
    const { name, value, mean, unit, protocol, samples } = signal;
    const far = signal.z > 0 ? "far above" : "far below";
    return {
      entity: { kind: "signal", key: leader, signal: leader },
      severity: Math.abs(signal.z) >= this.#settings.warning_z ? "warning" : "info",
      protocol,
      observed: value,
      expected: mean,
      z: signal.z,
      threshold: { value: this.#settings.z, setting: "detectors.seasonal.z" },
      windowSeconds: 300,
      samples,
      evidence: members.slice(0, 5).map(describe),
      explanation: `${name} was at ${rate(value, unit)} over the last five minutes to ${timeOf(tick)}, ${far} the ${rate(mean, unit)} that is usual at this time.`,
      suggestion: { wireshark_filter: protocolFilter(protocol), promql: signalQuery(name) },
    };
  }
}

function timeOf({ timeMs }: Tick): string {
  return `${new Date(timeMs).toISOString().slice(11, 16)} UTC`;
}

function describe({ name, value, mean, unit, z }: SignalState): string {
  return `${name}: ${rate(value, unit)}, usually ${rate(mean, unit)} (z ${number(z)})`;
}
