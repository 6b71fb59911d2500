// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import type { Detector, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { Surges } from "./surge.ts";
import { number, percent } from "./text.ts";

const settings = z.strictObject({
  addresses: z
    .number()
    .gt(0)
    .default(100)
    .describe("Source MAC addresses a second that were never seen before and are a flood."),
});
type Settings = z.infer<typeof settings>;

const KEY = "source_macs";
/** For so long after the first frame, and after a long silence, all hosts of a network are new. */
const SETTLING_MS = 10_000;
const SILENCE_MS = 60_000;
/** Of a flood nearly every frame has a new source; of hosts that are new only to the observer, few. */
const FRESH_SHARE = 0.8;

/** Frames from ever new source addresses, until the switch forgets who is where (macof). */
export const macFlood: DetectorDefinition<Settings> = {
  name: "mac_flood",
  class: "flood",
  help: "Frames come from very many Ethernet addresses that nobody had before: the switch's table of addresses overflows, and it sends everybody everything.",
  severities: ["critical"],
  settings,
  quietSeconds: 30,
  create: (own) => new MacFlood(own),
};

class MacFlood implements Detector {
  readonly #settings: Settings;
  readonly #surges = new Surges(1);
  #settledMs = 0;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(own: Settings) {
    this.#settings = own;
  }

  evaluate(tick: Tick): Finding[] {
    const { elapsedMs } = tick;
    return tick.window.rows.source_macs.flatMap(({ fresh, frames, lastMac }) => {
      if (elapsedMs - this.#lastMs > SILENCE_MS) this.#settledMs = elapsedMs + SETTLING_MS;
      this.#lastMs = elapsedMs;
      const isBelievable = elapsedMs > this.#settledMs || fresh >= FRESH_SHARE * frames;
      const rate = isBelievable ? fresh / Math.max(1, tick.seconds) : 0;
      if (!this.#surges.update(KEY, rate, this.#settings.addresses, tick)) return [];
      return [this.#finding(tick, rate, fresh / Math.max(1, frames), lastMac)];
    });
  }

  #finding(tick: Tick, rate: number, share: number, lastMac: string): Finding {
    const { addresses } = this.#settings;
    return {
      entity: { kind: "signal", key: KEY, signal: KEY, mac: lastMac },
      severity: "critical",
      protocol: "all",
      observed: rate,
      expected: 0,
      threshold: { value: addresses, setting: "detectors.mac_flood.addresses" },
      windowSeconds: tick.seconds,
      samples: Math.round(rate * tick.seconds),
      evidence: [
        `${number(rate)} new source addresses/s, ${percent(share)} of the frames that begin something`,
        `the last was ${lastMac}`,
      ],
      explanation: `Frames come from ${number(rate)} new Ethernet addresses/s, the last of them ${lastMac}: somebody fills the switch's address table so that it floods everybody's traffic to every port.`,
      suggestion: {
        wireshark_filter: `eth.src == ${lastMac}`,
        promql: "sum(rate(nam_network_packets_total[1m]))",
      },
    };
  }
}
