// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorDefinition, Entity, Finding, Severity, Tick } from "./detector.ts";
import { addressFilter } from "./suggestions.ts";
import { count, duration } from "./text.ts";

const settings = z.strictObject({
  score: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.9)
    .describe(
      "Joint certainty of different kinds of anomaly of one host from which on it is told: two warnings reach it.",
    ),
  seconds: z
    .number()
    .min(1)
    .default(60)
    .describe("Anomalies of one host within this time belong together."),
});
type Settings = z.infer<typeof settings>;

const CAPACITY = 1024;
/** How certain one finding alone is. */
const CERTAINTY: Readonly<Record<Severity, number>> = { info: 0.3, warning: 0.7, critical: 0.9 };

interface Signal {
  readonly detector: string;
  readonly finding: Finding;
  readonly atMs: number;
}

/** Different kinds of anomaly of one host at one time. */
export const multiSignal: DetectorDefinition<Settings> = {
  name: "multi_signal",
  class: "incident",
  help: "Detectors of different kinds raise warnings about one host within a minute: a scan and then a tunnel are one incident, and a critical one.",
  severities: ["critical"],
  settings,
  quietSeconds: 60,
  create: (own) => new MultiSignal(own),
};

class MultiSignal implements Detector {
  readonly #settings: Settings;
  /** By host, the last finding of each class. */
  readonly #hosts = new BoundedMap<Map<string, Signal>>(CAPACITY);

  constructor(own: Settings) {
    this.#settings = own;
  }

  evaluate(tick: Tick): Finding[] {
    const touched = new Set<string>();
    for (const { detector, kind, findings } of tick.found) {
      for (const finding of findings) {
        const host = hostOf(finding.entity);
        if (host === undefined) continue;
        const signals = this.#hosts.use(host, () => new Map());
        signals.set(kind, { detector, finding, atMs: tick.elapsedMs });
        touched.add(host);
      }
    }
    return [...touched].flatMap((host) => this.#judge(host, tick));
  }

  #judge(host: string, tick: Tick): Finding[] {
    const oldest = tick.elapsedMs - this.#settings.seconds * 1000;
    const signals = [...(this.#hosts.peek(host)?.values() ?? [])].filter(
      ({ atMs }) => atMs >= oldest,
    );
    const serious = signals.filter(({ finding }) => finding.severity !== "info").length;
    const doubt = signals.reduce(
      (left, { finding }) => left * (1 - CERTAINTY[finding.severity]),
      1,
    );
    // Rounded, so that two warnings are 0.91 and not a hair less than what they are compared with.
    const score = Math.round((1 - doubt) * 1000) / 1000;
    if (serious < 2 || score < this.#settings.score) return [];
    return [this.#finding(host, signals, score)];
  }

  #finding(host: string, signals: readonly Signal[], score: number): Finding {
    const { seconds, score: limit } = this.#settings;
    const names = signals.map(({ detector }) => detector).sort();
    return {
      entity: { kind: "host", key: host, source: host },
      severity: "critical",
      protocol: "all",
      observed: score,
      expected: 0,
      threshold: { value: limit, setting: "detectors.multi_signal.score" },
      windowSeconds: seconds,
      samples: signals.length,
      evidence: signals
        .slice(0, 5)
        .map(({ detector, finding }) => `${detector}: ${finding.explanation}`),
      explanation: `${count(signals.length, "kind")} of anomaly of ${host} within ${duration(seconds)} (${names.join(", ")}): together they are no accident.`,
      suggestion: {
        wireshark_filter: `${addressFilter("src", host)} || ${addressFilter("dst", host)}`,
        promql: 'sum by (detector) (increase(nam_anomaly_events_total{severity!="info"}[5m]))',
      },
    };
  }
}

/** Who did it, else whom it happened to; none for what is about no host. */
function hostOf({ kind, source, destination }: Entity): string | undefined {
  if (kind === "signal" || kind === "process" || kind === "agent") return undefined;
  return source ?? destination;
}
