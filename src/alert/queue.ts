// SPDX-License-Identifier: AGPL-3.0-or-later
import { type Anomaly, SEVERITIES, type Severity } from "../detect/detector.ts";

/** An anomaly that waits to be told on one channel, in its newest state. Times are monotonic milliseconds. */
export interface Entry {
  readonly anomaly: Anomaly;
  /** The highest severity seen since it began to wait. */
  readonly severity: Severity;
  /** When the first of its waiting events came. */
  readonly acceptedMs: number;
  /** When its group wait is over. */
  readonly dueMs: number;
  /** It is told in no message before this moment, not even along with others: quiet hours, or it may come back. */
  readonly heldUntilMs: number;
}

/**
 * One entry for an older and a newer state of the same anomaly. What nobody knows yet is told when it first may; to
 * those who know it, only its newest state matters.
 */
export function joined(older: Entry, newer: Entry, isKnown: boolean): Entry {
  const heldUntilMs = isKnown ? newer.heldUntilMs : Math.min(older.heldUntilMs, newer.heldUntilMs);
  const isWorse = SEVERITIES.indexOf(older.severity) < SEVERITIES.indexOf(newer.severity);
  return {
    anomaly: newer.anomaly,
    severity: isWorse ? newer.severity : older.severity,
    acceptedMs: Math.min(older.acceptedMs, newer.acceptedMs),
    dueMs: Math.max(heldUntilMs, Math.min(older.dueMs, newer.dueMs)),
    heldUntilMs,
  };
}

/** What waits for one channel: at most one entry an anomaly, at most `limit` in all. */
export class Queue {
  #limit: number;
  /** One map a severity, each in order of arrival: the oldest of the least severe is found at once. */
  readonly #bySeverity: Readonly<Record<Severity, Map<string, Entry>>> = {
    info: new Map(),
    warning: new Map(),
    critical: new Map(),
  };

  constructor(limit: number) {
    this.#limit = limit;
  }

  set limit(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return SEVERITIES.reduce((sum, severity) => sum + this.#bySeverity[severity].size, 0);
  }

  get(id: string): Entry | undefined {
    for (const severity of SEVERITIES) {
      const entry = this.#bySeverity[severity].get(id);
      if (entry) return entry;
    }
    return undefined;
  }

  /** Adds or replaces the entry of an anomaly. Gives back the entry that had to go for it, which may be itself. */
  put(entry: Entry): Entry | undefined {
    const { id } = entry.anomaly;
    for (const severity of SEVERITIES) {
      if (severity !== entry.severity) this.#bySeverity[severity].delete(id);
    }
    this.#bySeverity[entry.severity].set(id, entry);
    return this.size > this.#limit ? this.#dropOldest() : undefined;
  }

  remove(id: string): void {
    for (const severity of SEVERITIES) this.#bySeverity[severity].delete(id);
  }

  /** Every waiting entry, most severe first. */
  entries(): Entry[] {
    return [...SEVERITIES]
      .reverse()
      .flatMap((severity) => [...this.#bySeverity[severity].values()]);
  }

  #dropOldest(): Entry | undefined {
    for (const severity of SEVERITIES) {
      for (const [id, entry] of this.#bySeverity[severity]) {
        this.#bySeverity[severity].delete(id);
        return entry;
      }
    }
    return undefined;
  }
}
