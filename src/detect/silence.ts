// SPDX-License-Identifier: AGPL-3.0-or-later

import type { CaptureWindow } from "../flow/window.ts";
import { z } from "../util/zod.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { timeFilter } from "./suggestions.ts";
import { duration, percent } from "./text.ts";

const settings = z.strictObject({
  silent_seconds: z
    .int()
    .min(5)
    .default(30)
    .describe("Seconds without a packet on an interface that always had some that are an alarm."),
  learn_seconds: z
    .int()
    .min(60)
    .default(600)
    .describe("Seconds an interface is watched before its silence means anything."),
  busy_ratio: z
    .number()
    .gt(0)
    .max(1)
    .default(0.95)
    .describe("Share of seconds with packets from which on an interface always has some."),
});
type Settings = z.infer<typeof settings>;

const CAPACITY = 256;

interface Link {
  seconds: number;
  busySeconds: number;
  silentSeconds: number;
}

/** An interface that always had packets has none. */
export const silence: DetectorDefinition<Settings> = {
  name: "silence",
  class: "outage",
  help: "An interface that had packets in nearly every second has none: a cable, a mirror port, a tunnel or the network behind it is gone. Silent until it has watched the interface for learn_seconds.",
  severities: ["warning"],
  settings,
  quietSeconds: 5,
  create: (own) => new Silence(own),
};

class Silence implements Detector {
  readonly #settings: Settings;
  readonly #links = new BoundedMap<Link>(CAPACITY);

  constructor(own: Settings) {
    this.#settings = own;
  }

  evaluate(tick: Tick): Finding[] {
    return tick.window.capture.flatMap((capture) => this.#judge(capture, tick));
  }

  #judge(capture: CaptureWindow, tick: Tick): Finding[] {
    const own = this.#settings;
    const link = this.#links.use(`${capture.interface} ${capture.source}`, () => ({
      ...{ seconds: 0, busySeconds: 0, silentSeconds: 0 },
    }));
    const { seconds } = tick;
    if (capture.received > 0) {
      link.silentSeconds = 0;
      link.busySeconds += seconds;
    } else {
      link.silentSeconds += seconds;
    }
    const watched = link.seconds;
    const busy = link.busySeconds / Math.max(1, watched);
    if (watched >= own.learn_seconds && busy >= own.busy_ratio) {
      return link.silentSeconds < own.silent_seconds
        ? []
        : [this.#finding(capture, link, busy, tick)];
    }
    link.seconds += seconds;
    return [];
  }

  #finding({ interface: name }: CaptureWindow, link: Link, busy: number, tick: Tick): Finding {
    const own = this.#settings;
    return {
      entity: { kind: "agent", key: name },
      severity: "warning",
      protocol: "all",
      observed: link.silentSeconds,
      expected: 0,
      threshold: { value: own.silent_seconds, setting: "detectors.silence.silent_seconds" },
      windowSeconds: link.silentSeconds,
      samples: link.seconds,
      evidence: [
        `no packet for ${duration(link.silentSeconds)}`,
        `packets in ${percent(Math.min(1, busy))} of the seconds before`,
      ],
      explanation: `${name} has been silent for ${duration(link.silentSeconds)}, though it always had packets: the link, the mirror port or the network behind it is gone.`,
      suggestion: {
        wireshark_filter: timeFilter(tick, link.silentSeconds),
        promql: "rate(nam_capture_packets_total[1m])",
      },
    };
  }
}
