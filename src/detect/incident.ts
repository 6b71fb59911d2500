// SPDX-License-Identifier: AGPL-3.0-or-later
import { createHash } from "node:crypto";
import { type Anomaly, type Entity, type Finding, SEVERITIES, type Severity } from "./detector.ts";

/** The moment incidents are judged at. */
export interface Moment {
  readonly timeMs: number;
  readonly elapsedMs: number;
  /** Interfaces that were captured, comma-separated. */
  readonly interface: string;
  readonly degraded: boolean;
  readonly agent: string;
}

export function severityRank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}

/**
 * One anomaly of one entity from its first finding to its resolve. The severity only rises. Identifiers follow from
 * what was found and when, so that a replay gives the same ones.
 */
export class Incident {
  readonly detector: string;
  readonly #class: string;
  readonly #interface: string;
  readonly #dedupKey: string;
  readonly #id: string;
  readonly #firstMs: number;
  /** What is told now: the newest finding. */
  #finding: Finding;
  /** What is told at the end: the finding that was furthest from normal. */
  #peak: Finding;
  #severity: Severity;
  #count: number;
  #degraded: boolean;
  #state: Anomaly["state"];
  #lastFindingMs: number;
  #lastToldMs: number;

  private constructor(origin: Origin, finding: Finding, elapsedMs: number) {
    this.detector = origin.detector;
    this.#class = origin.class;
    this.#interface = origin.interface;
    this.#dedupKey = origin.dedup_key;
    this.#id = origin.id;
    this.#firstMs = origin.first_seen * 1000;
    this.#count = origin.count;
    this.#state = origin.state;
    this.#finding = finding;
    this.#peak = finding;
    this.#severity = finding.severity;
    this.#degraded = origin.degraded;
    this.#lastFindingMs = elapsedMs;
    this.#lastToldMs = elapsedMs;
  }

  static opened(
    detector: { readonly name: string; readonly class: string },
    finding: Finding,
    moment: Moment,
  ): Incident {
    const { timeMs, elapsedMs, degraded, interface: where, agent } = moment;
    const dedupKey = digest([detector.name, finding.entity.key, where, agent]);
    const origin: Origin = {
      id: digest([dedupKey, String(timeMs)]),
      dedup_key: dedupKey,
      detector: detector.name,
      class: detector.class,
      interface: where,
      first_seen: timeMs / 1000,
      count: 1,
      state: "open",
      degraded,
    };
    return new Incident(origin, finding, elapsedMs);
  }

  /** An incident that an earlier run left open, as if it were last found at `elapsedMs`. */
  static continued(anomaly: Anomaly, elapsedMs: number): Incident {
    return new Incident(anomaly, findingOf(anomaly), elapsedMs);
  }

  /** What it is about, as found last. */
  get entity(): Entity {
    return this.#finding.entity;
  }

  get severity(): Severity {
    return this.#severity;
  }

  get id(): string {
    return this.#id;
  }

  /** Takes another finding; true when it is to be told: the severity rose, or the last word is `updateMs` old. */
  add(finding: Finding, moment: Moment, updateMs: number): boolean {
    const rose = severityRank(finding.severity) > severityRank(this.#severity);
    if (rose) this.#severity = finding.severity;
    if (rose || deviation(finding) > deviation(this.#peak)) this.#peak = finding;
    this.#finding = finding;
    this.#count++;
    this.#degraded ||= moment.degraded;
    this.#lastFindingMs = moment.elapsedMs;
    if (!rose && moment.elapsedMs - this.#lastToldMs < updateMs) return false;
    this.#lastToldMs = moment.elapsedMs;
    this.#state = "update";
    return true;
  }

  /** True when nothing was found for `quietMs`. */
  isQuiet(elapsedMs: number, quietMs: number): boolean {
    return elapsedMs - this.#lastFindingMs >= quietMs;
  }

  /** The incident as it stands, told with its newest finding. */
  anomaly(timeMs: number): Anomaly {
    return this.#tell(this.#finding, this.#state, timeMs);
  }

  /** The last word, told with the finding that was furthest from normal. */
  resolved(timeMs: number): Anomaly {
    return this.#tell(this.#peak, "resolved", timeMs);
  }

  #tell(finding: Finding, state: Anomaly["state"], timeMs: number): Anomaly {
    return {
      id: this.#id,
      time: timeMs / 1000,
      detector: this.detector,
      class: this.#class,
      severity: this.#severity,
      state,
      entity: finding.entity,
      protocol: finding.protocol,
      interface: this.#interface,
      observed: finding.observed,
      expected: finding.expected,
      z: finding.z ?? null,
      threshold: finding.threshold,
      window_s: finding.windowSeconds,
      samples: finding.samples,
      evidence: finding.evidence,
      explanation: finding.explanation,
      degraded: this.#degraded,
      first_seen: this.#firstMs / 1000,
      count: this.#count,
      dedup_key: this.#dedupKey,
      suggestion: finding.suggestion,
    };
  }
}

/** What of an incident was settled when it opened. */
type Origin = Pick<
  Anomaly,
  | "id"
  | "dedup_key"
  | "detector"
  | "class"
  | "interface"
  | "first_seen"
  | "count"
  | "state"
  | "degraded"
>;

/** What was found when the anomaly was last told. */
function findingOf(anomaly: Anomaly): Finding {
  const { entity, severity, protocol, observed, expected, z, threshold } = anomaly;
  const { window_s, samples, evidence, explanation, suggestion } = anomaly;
  return {
    entity,
    severity,
    protocol,
    observed,
    expected,
    ...(z === null ? {} : { z }),
    threshold,
    windowSeconds: window_s,
    samples,
    evidence,
    explanation,
    suggestion,
  };
}

/** How far a finding is from normal, comparable within one incident. */
function deviation(finding: Finding): number {
  return Math.abs(finding.observed - finding.expected);
}

function digest(parts: readonly string[]): string {
  return createHash("sha256").update(parts.join("|")).digest("hex").slice(0, 16);
}
