// SPDX-License-Identifier: AGPL-3.0-or-later
import type { ZodType } from "zod";
import type { Window } from "../flow/window.ts";

export const SEVERITIES = ["info", "warning", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What an anomaly is about. `key` identifies it; the rest is for people and for filters. */
export interface Entity {
  readonly kind:
    | "source"
    | "destination"
    | "service"
    | "pair"
    | "binding"
    | "signal"
    | "host"
    | "process"
    | "agent";
  readonly key: string;
  readonly source?: string;
  readonly destination?: string;
  readonly port?: number;
  readonly domain?: string;
  readonly mac?: string;
  readonly process?: string;
  readonly signal?: string;
  /** JA3, JA4 or HASSH. */
  readonly fingerprint?: string;
}

/** What a detector says of one tick: this entity is anomalous now, and here is why. */
export interface Finding {
  readonly entity: Entity;
  readonly severity: Severity;
  /** Protocol label value the finding is about. */
  readonly protocol: string;
  readonly observed: number;
  readonly expected: number;
  /** Standard deviations from expected, where the detector has a notion of it. */
  readonly z?: number;
  /** `setting` is the configuration path that would have to change for it not to fire. */
  readonly threshold: { readonly value: number; readonly setting: string };
  readonly windowSeconds: number;
  readonly samples: number;
  /** Up to 5 facts. */
  readonly evidence: readonly string[];
  /** One sentence a tired person understands. */
  readonly explanation: string;
  readonly suggestion: { readonly wireshark_filter: string; readonly promql: string };
}

/** One anomaly over its life; the JSON form of docs/events.md. Times are UTC seconds. */
export interface Anomaly {
  readonly id: string;
  readonly time: number;
  readonly detector: string;
  readonly class: string;
  readonly severity: Severity;
  readonly state: "open" | "update" | "resolved";
  readonly entity: Entity;
  readonly protocol: string;
  readonly interface: string;
  readonly observed: number;
  readonly expected: number;
  readonly z: number | null;
  readonly threshold: { readonly value: number; readonly setting: string };
  readonly window_s: number;
  readonly samples: number;
  readonly evidence: readonly string[];
  readonly explanation: string;
  /** True when more than 1 % of the packets were lost around it. */
  readonly degraded: boolean;
  readonly first_seen: number;
  readonly count: number;
  readonly dedup_key: string;
  readonly suggestion: { readonly wireshark_filter: string; readonly promql: string };
}

/** Which idea of "normal" a state was scored against: the value of the `baseline` label. */
export const BASELINES = ["rolling", "ewma", "robust", "seasonal"] as const;
export type BaselineName = (typeof BASELINES)[number];

/** Current state of one signal under one baseline. */
export interface SignalState {
  readonly name: string;
  readonly baseline: BaselineName;
  readonly unit: string;
  /** Protocol label value the signal counts, `all` where it is not about one. */
  readonly protocol: string;
  readonly value: number;
  readonly mean: number;
  readonly stddev: number;
  readonly z: number;
  readonly ready: boolean;
  readonly samples: number;
  /** Seconds of deviation after which the baseline just took the new level for normal; 0 in any other tick. */
  readonly shiftSeconds: number;
  /** Of the guarded baseline: what its mean was a week ago at this hour; null where that is not known. */
  readonly weekAgo: number | null;
}

/** Processes of one name, as one: never a single process. Shares are of the whole machine. */
export interface ProcessGroup {
  readonly name: string;
  readonly cpuRatio: number;
  readonly memoryBytes: number;
  readonly processes: number;
}

/** What the host itself does; the same shape as the sampler's in host/. Ratios are 0 to 1. */
export interface HostSample {
  readonly timeMs: number;
  readonly cpuRatio: number;
  readonly memoryUsedBytes: number;
  readonly memoryTotalBytes: number;
  readonly load1: number;
  readonly cpus: number;
  /** The largest groups, most CPU first; empty where process groups are switched off. */
  readonly groups: readonly ProcessGroup[];
}

/** How many of the signals that are ready are far from their baselines. */
export interface Environment {
  readonly judged: number;
  readonly away: number;
  /** More than this many, and the environment changed rather than one signal. */
  readonly limit: number;
  readonly changed: boolean;
}

/** What a detector opens, and what it is expected to open where nothing is wrong: anomalies in a week. */
export interface BudgetState {
  readonly detector: string;
  readonly expected: number;
  readonly observed: number;
}

/** One tick as detectors see it. */
export interface Tick {
  /** End of the window in packet time, milliseconds since 1970; goes back when the clock does. */
  readonly timeMs: number;
  /** Milliseconds since the first tick; never goes back, whatever the clock does. */
  readonly elapsedMs: number;
  /** Seconds the window covers. */
  readonly seconds: number;
  readonly window: Window;
  /** More than 1 % of the packets were lost: say so, do not learn. */
  readonly degraded: boolean;
  /** Nothing may be learned and no low-side alarm raised (loss, capture down, late tick, clock step). */
  readonly tainted: boolean;
  /** The same objects every tick, rewritten: nothing may keep one. */
  readonly signals: readonly SignalState[];
  readonly environment: Environment;
  /** Alarms of the last week, this tick's not among them. The same objects every tick. */
  readonly budgets: readonly BudgetState[];
  /** The newest sample of the host, null where none was taken since the last tick. */
  readonly host: HostSample | null;
  /** What the detectors asked before found in this tick and the operator does not allow; grows while they are asked. */
  readonly found: readonly Found[];
}

/** Findings of one detector in one tick. */
export interface Found {
  readonly detector: string;
  /** The detector's class. */
  readonly kind: string;
  readonly findings: readonly Finding[];
}

export interface DetectorContext {
  /** True for addresses of the operator's own networks (`networks.home`). */
  isHome(address: string): boolean;
  /** Addresses of the routers this machine uses, where they are known. */
  readonly gateways?: readonly string[];
}

export interface Detector {
  /** Everything that is anomalous in this tick; called once a tick in packet time. */
  evaluate(tick: Tick): readonly Finding[];
  /** What it has learned of the network and would take long to learn again, as plain data for the state file. */
  remember?(): unknown;
  /**
   * Goes on from there, as if that were remembered at `elapsedMs`, the time of the last tick; throws, with nothing
   * changed, where that is not what `remember` gives.
   */
  recall?(memory: unknown, elapsedMs: number): void;
}

/** A detector is one file: this declaration, its settings and its state bounds. */
export interface DetectorDefinition<Settings = never> {
  /** Value of the `detector` label and key under `detectors:` in the configuration. */
  readonly name: string;
  /** Kind of anomaly, e.g. `scan`, `flood`, `spoofing`, `volume`, `host`. */
  readonly class: string;
  readonly help: string;
  /** Severities it can raise: the closed label set of its series. */
  readonly severities: readonly Severity[];
  /** A strict object, every field described, with a default: an empty object is valid. */
  readonly settings: ZodType<Settings>;
  /** Default of its `quiet_seconds` setting: seconds without a finding until its incident is resolved. */
  readonly quietSeconds: number;
  /** True where it judges by signals alone: silent while the environment as a whole changed. */
  readonly statistical?: boolean;
  /**
   * Names of detectors that say the same of the same entity, or of a service of the same host, only better: while one
   * does, this one is silent.
   */
  readonly supersededBy?: readonly string[];
  /** Anomalies a week that it is expected to open where nothing is wrong; 1 where it does not say. */
  readonly alarmsPerWeek?: number;
  create(settings: Settings, context: DetectorContext): Detector;
}
