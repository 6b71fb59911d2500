// SPDX-License-Identifier: AGPL-3.0-or-later
import { createHash } from "node:crypto";
import { type Anomaly, type Finding, SEVERITIES, type Severity } from "./detector.ts";

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
  #count = 1;
  #degraded: boolean;
  #state: Anomaly["state"] = "open";
  #lastFindingMs: number;
  #lastToldMs: number;

  constructor(detector: { name: string; class: string }, finding: Finding, moment: Moment) {
    this.detector = detector.name;
    this.#class = detector.class;
    this.#interface = moment.interface;
    this.#dedupKey = digest([detector.name, finding.entity.key, moment.interface, moment.agent]);
    this.#id = digest([this.#dedupKey, String(moment.timeMs)]);
    this.#firstMs = moment.timeMs;
    this.#finding = finding;
    this.#peak = finding;
    this.#severity = finding.severity;
    this.#degraded = moment.degraded;
    this.#lastFindingMs = moment.elapsedMs;
    this.#lastToldMs = moment.elapsedMs;
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

/** How far a finding is from normal, comparable within one incident. */
function deviation(finding: Finding): number {
  return Math.abs(finding.observed - finding.expected);
}

function digest(parts: readonly string[]): string {
  return createHash("sha256").update(parts.join("|")).digest("hex").slice(0, 16);
}
