// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Anomaly, Severity } from "../detect/detector.ts";
import { Governor, type GovernorRules } from "./governor.ts";
import { type Group, nextGroup } from "./grouping.ts";
import { isAbove, isTelling, Ledger } from "./ledger.ts";
import type { EventFate } from "./metrics.ts";
import { type Entry, Queue } from "./queue.ts";

export interface BacklogRules extends GovernorRules {
  readonly minimumSeverity: Severity;
  readonly sendResolved: boolean;
  readonly groupWaitMs: number;
  readonly queueLimit: number;
  readonly giveUpMs: number;
  /** Nothing is grouped by detector, held back or left unnamed. */
  readonly everyEvent: boolean;
}

/**
 * What one channel still has to tell, and when, as far as its readers are concerned. Every event handed to it ends in
 * exactly one fate. A group is taken out to be sent and then comes back as delivered, returned or refused.
 * Times are monotonic milliseconds.
 */
export class Backlog {
  #rules: BacklogRules;
  readonly #queue: Queue;
  readonly #ledger: Ledger;
  #governor: Governor;
  readonly #fate: (fate: EventFate, count: number) => void;
  readonly #inFlight = new Set<string>();

  constructor(rules: BacklogRules, nowMs: number, fate: (fate: EventFate, count: number) => void) {
    this.#rules = rules;
    this.#queue = new Queue(rules.queueLimit);
    this.#ledger = new Ledger(rules);
    this.#governor = new Governor(rules, nowMs);
    this.#fate = fate;
  }

  /** Takes new rules; what waits, and what the readers know, stays. */
  reconfigure(rules: BacklogRules, nowMs: number): void {
    const { maxMessages, windowMs } = this.#rules;
    if (rules.maxMessages !== maxMessages || rules.windowMs !== windowMs) {
      this.#governor = new Governor(rules, nowMs);
    }
    this.#rules = rules;
    this.#ledger.rules = rules;
    this.#queue.limit = rules.queueLimit;
  }

  /** Anomalies not told yet, those of the message under way included. */
  get size(): number {
    return this.#queue.size + this.#inFlight.size;
  }

  /** Takes one event. True if it is urgent: worth an attempt even where a retry is being waited for. */
  accept(anomaly: Anomaly, nowMs: number): boolean {
    const waiting = this.#queue.get(anomaly.id);
    if (waiting) {
      this.#fate("superseded", 1);
    } else if (!this.#inFlight.has(anomaly.id)) {
      const verdict = this.#ledger.judge(anomaly);
      if (!isTelling(verdict)) {
        this.#fate(verdict, 1);
        return false;
      }
    }
    const entry = {
      anomaly,
      severity: anomaly.severity,
      acceptedMs: nowMs,
      dueMs: this.#dueMs(anomaly, nowMs),
    };
    this.#put(waiting ? joined(waiting, entry) : entry);
    return this.#governor.isUrgent(anomaly, nowMs);
  }

  /** When the next message is to go; infinite if nothing waits. */
  dueMs(nowMs: number): number {
    let urgentMs = Number.POSITIVE_INFINITY;
    let otherMs = Number.POSITIVE_INFINITY;
    for (const { anomaly, dueMs } of this.#queue.entries()) {
      if (this.#governor.isUrgent(anomaly, nowMs)) urgentMs = Math.min(urgentMs, dueMs);
      else otherMs = Math.min(otherMs, dueMs);
    }
    if (this.#rules.everyEvent) return Math.min(urgentMs, otherMs);
    return this.#governor.dueMs(nowMs, urgentMs, otherMs);
  }

  /** Takes out what the next message tells; with `everything`, all that waits, due or not. */
  take(nowMs: number, everything: boolean): Group | undefined {
    const { everyEvent } = this.#rules;
    const tellsAll = everything || everyEvent || this.#governor.isStorm(nowMs);
    const group = nextGroup(this.#queue.entries(), everything ? Number.POSITIVE_INFINITY : nowMs, {
      scope: tellsAll ? "all" : "detector",
      namesAll: everyEvent,
      telling: (anomaly) => this.#ledger.telling(anomaly),
    });
    for (const { anomaly } of entriesOf(group)) {
      this.#queue.remove(anomaly.id);
      this.#inFlight.add(anomaly.id);
    }
    return group;
  }

  delivered(group: Group, nowMs: number): void {
    this.#ledger.delivered(anomaliesOf(group.named), true);
    this.#ledger.delivered(anomaliesOf(group.counted), false);
    this.#governor.delivered(anomaliesOf(entriesOf(group)), nowMs);
    this.#fate("told", group.named.length);
    this.#fate("counted", group.counted.length);
    this.#landed(group);
  }

  /** The group was not delivered and is to be tried again, together with what came meanwhile. */
  returned(group: Group): void {
    this.#inFlight.clear();
    for (const entry of entriesOf(group)) {
      const newer = this.#queue.get(entry.anomaly.id);
      if (newer) this.#fate("superseded", 1);
      this.#put(newer ? joined(entry, newer) : entry);
    }
  }

  /** The group will never be accepted. */
  refused(group: Group): void {
    this.#fate("lost", entriesOf(group).length);
    this.#landed(group);
  }

  /** Gives up what has waited too long; says how many. */
  expire(nowMs: number): number {
    return this.#lose(({ acceptedMs }) => nowMs - acceptedMs > this.#rules.giveUpMs);
  }

  /** Gives up everything that waits; says how many. */
  clear(): number {
    return this.#lose(() => true);
  }

  /** What came for these anomalies while they were under way is judged again, now that it is known what was told. */
  #landed(group: Group): void {
    this.#inFlight.clear();
    for (const { anomaly } of entriesOf(group)) {
      const follower = this.#queue.get(anomaly.id);
      const verdict = follower ? this.#ledger.judge(follower.anomaly) : "open";
      if (isTelling(verdict)) continue;
      this.#queue.remove(anomaly.id);
      this.#fate(verdict, 1);
    }
  }

  #lose(isLost: (entry: Entry) => boolean): number {
    const lost = this.#queue.entries().filter(isLost);
    for (const { anomaly } of lost) this.#queue.remove(anomaly.id);
    if (lost.length > 0) this.#fate("lost", lost.length);
    return lost.length;
  }

  #put(entry: Entry): void {
    if (this.#queue.put(entry)) this.#fate("dropped", 1);
  }

  #dueMs({ severity, state }: Anomaly, nowMs: number): number {
    const isAtOnce = this.#rules.everyEvent || (severity === "critical" && state !== "resolved");
    return isAtOnce ? nowMs : nowMs + this.#rules.groupWaitMs;
  }
}

function entriesOf(group: Group | undefined): readonly Entry[] {
  return group ? [...group.named, ...group.counted] : [];
}

/** One entry for an older and a newer state of the same anomaly. */
function joined(older: Entry, newer: Entry): Entry {
  return {
    anomaly: newer.anomaly,
    severity: isAbove(older.severity, newer.severity) ? older.severity : newer.severity,
    acceptedMs: Math.min(older.acceptedMs, newer.acceptedMs),
    dueMs: Math.min(older.dueMs, newer.dueMs),
  };
}

function anomaliesOf(entries: readonly Entry[]): Anomaly[] {
  return entries.map(({ anomaly }) => anomaly);
}
