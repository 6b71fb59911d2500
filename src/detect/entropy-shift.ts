// SPDX-License-Identifier: AGPL-3.0-or-later

import type { TrackerRows } from "../flow/window.ts";
import { u32 } from "../util/typed.ts";
import { z } from "../util/zod.ts";
import { GuardedEwma } from "./baseline/guarded-ewma.ts";
import { ewmaMemory } from "./baseline/memory.ts";
import type { Scale } from "./baseline/scale.ts";
import type { Detector, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { spread } from "./entropy.ts";
import { timeFilter } from "./suggestions.ts";
import { count, number, percent } from "./text.ts";

const settings = z.strictObject({
  gate: z
    .number()
    .gt(0)
    .default(4)
    .describe(
      "Standard deviations by which one feature must spread more, and another one less, than usual.",
    ),
  flows: z
    .int()
    .min(50)
    .default(200)
    .describe("Least new flows in ten seconds for their spread to mean anything."),
  windows: z
    .int()
    .min(6)
    .default(60)
    .describe("Spans of ten seconds with enough flows that are learned before any is judged."),
});
type Settings = z.infer<typeof settings>;
type Row = TrackerRows["flow_mix"][number];
type Feature = Row["feature"];

const FEATURES: readonly Feature[] = ["sources", "destinations", "source_ports", "ports"];
const NAMES: Readonly<Record<Feature, string>> = {
  sources: "source addresses",
  destinations: "destinations",
  source_ports: "source ports",
  ports: "destination ports",
};
const SPAN_SECONDS = 10;
/** Half an hour of another mix is the new normal. */
const FREEZE_SPANS = 180;
/** So far off, one span is enough; otherwise it takes two in a row. */
const OBVIOUS = 2;
/** The mix of a quiet network moves by some percent from one span to the next. */
const SCALE: Scale = { forward: (value) => value, backward: (scaled) => scaled, sigmaFloor: 0.04 };

const memorySchema = z.strictObject({
  ...{ sources: ewmaMemory, destinations: ewmaMemory },
  ...{ source_ports: ewmaMemory, ports: ewmaMemory },
});

/** What one feature shows in a span. */
interface Shift {
  readonly feature: Feature;
  readonly value: number;
  readonly usual: number;
  readonly z: number;
  readonly row: Row;
}

/** Attacks by what they do to the spread of all traffic (Lakhina, Crovella and Diot, SIGCOMM 2005). */
export const entropyShift: DetectorDefinition<Settings> = {
  name: "entropy_shift",
  class: "pattern",
  help: "New flows spread over more addresses or ports in one respect, and over fewer in another, than ever since the agent began to watch: as floods, scans and sweeps do. Silent until it has seen ten minutes of at least 20 new flows a second; an info while another detector tells the reason.",
  severities: ["info", "warning"],
  settings,
  quietSeconds: 60,
  statistical: true,
  create: (own) => new EntropyShift(own),
};

class EntropyShift implements Detector {
  readonly #settings: Settings;
  readonly #baselines: Readonly<Record<Feature, GuardedEwma>>;
  #rows = new Map<Feature, Row>();
  #seconds = 0;
  #isClean = true;
  #streak = 0;

  constructor(own: Settings) {
    this.#settings = own;
    const limits = { warmupSamples: own.windows, freezeSamples: FREEZE_SPANS };
    const baseline = (): GuardedEwma => new GuardedEwma(limits, SCALE, 1, SPAN_SECONDS);
    this.#baselines = {
      ...{ sources: baseline(), destinations: baseline() },
      ...{ source_ports: baseline(), ports: baseline() },
    };
  }

  evaluate(tick: Tick): Finding[] {
    for (const row of tick.window.rows.flow_mix) this.#add(row);
    this.#seconds += tick.seconds;
    this.#isClean &&= !tick.tainted;
    if (this.#seconds < SPAN_SECONDS) return [];
    const findings = this.#isClean ? this.#judge(tick) : [];
    this.#rows = new Map();
    this.#seconds = 0;
    this.#isClean = true;
    return findings;
  }

  remember(): unknown {
    const known = FEATURES.map((feature) => [feature, this.#baselines[feature].remember()]);
    return Object.fromEntries(known);
  }

  recall(memory: unknown): void {
    const known = memorySchema.parse(memory);
    for (const feature of FEATURES) this.#baselines[feature].recall(known[feature]);
  }

  #add(row: Row): void {
    const known = this.#rows.get(row.feature);
    if (!known) {
      this.#rows.set(row.feature, { ...row, buckets: row.buckets.slice() });
      return;
    }
    const { buckets } = known;
    for (let at = 0; at < buckets.length; at++)
      buckets[at] = u32(buckets, at) + u32(row.buckets, at);
    const { top, topFlows } = row.topFlows > known.topFlows ? row : known;
    this.#rows.set(row.feature, { ...known, flows: known.flows + row.flows, top, topFlows });
  }

  #judge(tick: Tick): Finding[] {
    const { gate, flows } = this.#settings;
    const shifts = FEATURES.flatMap((feature) => {
      const row = this.#rows.get(feature);
      return row && row.flows >= flows ? [this.#observe(row)] : [];
    });
    if (shifts.length === 0) return [];
    const [up] = shifts.filter(({ z }) => z >= gate).sort((a, b) => b.z - a.z);
    const [down] = shifts.filter(({ z }) => z <= -gate).sort((a, b) => a.z - b.z);
    this.#streak = up && down ? this.#streak + 1 : 0;
    if (!up || !down) return [];
    const isObvious = Math.min(up.z, -down.z) >= OBVIOUS * gate;
    return this.#streak > 1 || isObvious ? [this.#finding(tick, shifts, up, down)] : [];
  }

  #observe(row: Row): Shift {
    const baseline = this.#baselines[row.feature];
    const usual = baseline.mean;
    const value = spread(row.buckets);
    return { feature: row.feature, value, usual, z: baseline.observe(value, true), row };
  }

  #finding(tick: Tick, shifts: readonly Shift[], up: Shift, down: Shift): Finding {
    const isExplained = tick.found.some(
      ({ kind, findings }) => (kind === "flood" || kind === "scan") && findings.length > 0,
    );
    const { gate } = this.#settings;
    return {
      entity: { kind: "signal", key: "flow_mix", signal: "flow_mix" },
      severity: isExplained ? "info" : "warning",
      protocol: "all",
      observed: down.value,
      expected: down.usual,
      z: down.z,
      threshold: { value: gate, setting: "detectors.entropy_shift.gate" },
      windowSeconds: SPAN_SECONDS,
      samples: down.row.flows,
      evidence: shifts.map(factOf),
      explanation: `The ${count(down.row.flows, "new flow")} of the last ${SPAN_SECONDS} s spread over far more ${NAMES[up.feature]} and far fewer ${NAMES[down.feature]} than usual: this looks like ${patternOf(up.feature, down.feature)}.`,
      suggestion: {
        wireshark_filter: timeFilter(tick, SPAN_SECONDS),
        promql: "nam_distinct",
      },
    };
  }
}

function factOf({ feature, value, usual, z, row }: Shift): string {
  const top = row.topFlows * 4 >= row.flows ? `, most ${row.top}` : "";
  return `${NAMES[feature]}: spread ${percent(value)}, usually ${percent(usual)} (z ${number(z)})${top}`;
}

/** By the signs of the shifts, as the authors found them. */
function patternOf(up: Feature, down: Feature): string {
  if (down === "destinations" && up === "ports") return "a port scan";
  if (down === "destinations") return "a flood of one host by many";
  if (up === "destinations") return "a search of the network for one service";
  return "an attack or another use of the network";
}
