// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Anomaly } from "../detect/detector.ts";
import type { DeliveryReason } from "./alert.ts";
import type { ChannelStore } from "./channel-store.ts";
import type { Gate } from "./gate.ts";
import { Governor, type GovernorRules, type GovernorState } from "./governor.ts";
import { entriesOf, type Group, nextGroup } from "./grouping.ts";
import { isTelling, Ledger } from "./ledger.ts";
import type { EventFate } from "./metrics.ts";
import { type Entry, joined, Queue } from "./queue.ts";

export interface BacklogRules extends GovernorRules {
  /** What may be told here, and from when on. */
  readonly gate: Gate;
  readonly groupWaitMs: number;
  readonly queueLimit: number;
  readonly giveUpMs: number;
  /** Nothing is grouped by detector, held back or left unnamed. */
  readonly everyEvent: boolean;
}

export interface BacklogOptions {
  readonly rules: BacklogRules;
  readonly store: ChannelStore;
  readonly nowMs: number;
  fate(fate: EventFate, count: number): void;
}

/**
 * What one channel still has to tell, and when, as far as its readers are concerned; it begins with what an earlier run
 * left. Every event handed to it ends in exactly one fate. A group is taken out to be sent and then comes back as
 * delivered, returned or refused. Times are monotonic milliseconds.
 */
export class Backlog {
  #rules: BacklogRules;
  readonly #store: ChannelStore;
  readonly #queue: Queue;
  readonly #ledger: Ledger;
  #governor: Governor;
  readonly #fate: (fate: EventFate, count: number) => void;
  readonly #inFlight = new Set<string>();

  constructor({ rules, store, nowMs, fate }: BacklogOptions) {
    this.#rules = rules;
    this.#store = store;
    this.#queue = new Queue(rules.queueLimit);
    this.#ledger = new Ledger(store);
    this.#governor = new Governor(rules, nowMs, store.line()?.governor);
    this.#fate = fate;
    for (const entry of store.waiting()) this.#put(entry);
  }

  /** Takes new rules; what waits, and what the readers know, stays. */
  reconfigure(rules: BacklogRules, nowMs: number): void {
    const { maxMessages, windowMs } = this.#rules;
    if (rules.maxMessages !== maxMessages || rules.windowMs !== windowMs) {
      this.#governor = new Governor(rules, nowMs);
    }
    this.#rules = rules;
    this.#queue.limit = rules.queueLimit;
  }

  /** Anomalies not told yet, those of the message under way included. */
  get size(): number {
    return this.#queue.size + this.#inFlight.size;
  }

  /** What the next run needs of the governor. */
  governorState(nowMs: number): GovernorState {
    return this.#governor.state(nowMs);
  }

  /** True if something waits that need not be held back. */
  hasFree(nowMs: number): boolean {
    return this.#queue.entries().some(({ heldUntilMs }) => heldUntilMs <= nowMs);
  }

  /** Takes one event. True if it is urgent: worth an attempt even where a retry is being waited for. */
  accept(anomaly: Anomaly, nowMs: number, holdMs = 0): boolean {
    const admission = this.#rules.gate(anomaly);
    let waiting = this.#queue.get(anomaly.id);
    if (waiting) {
      this.#fate("superseded", 1);
      if (isBackAgain(waiting, anomaly)) {
        this.#remove(anomaly.id);
        waiting = undefined;
      }
    }
    if (!waiting && !this.#inFlight.has(anomaly.id)) {
      const verdict = this.#ledger.judge(anomaly, admission);
      if (!isTelling(verdict)) {
        this.#fate(verdict, 1);
        return false;
      }
    }
    const heldUntilMs = Math.max(admission.heldUntilMs, holdMs > 0 ? nowMs + holdMs : 0);
    const entry = {
      anomaly,
      severity: anomaly.severity,
      acceptedMs: nowMs,
      dueMs: Math.max(heldUntilMs, this.#dueMs(anomaly, nowMs)),
      heldUntilMs,
    };
    this.#put(waiting ? this.#joined(waiting, entry) : entry);
    return heldUntilMs <= nowMs && this.#governor.isUrgent(anomaly, nowMs);
  }

  /** Tells an anomaly that was given up once more. */
  revive(anomaly: Anomaly, nowMs: number): void {
    if (this.#queue.get(anomaly.id) || this.#inFlight.has(anomaly.id)) return;
    const { severity } = anomaly;
    this.#put({ anomaly, severity, acceptedMs: nowMs, dueMs: nowMs, heldUntilMs: 0 });
  }

  /** Drops what waits and has been silenced since. */
  hush(): void {
    for (const { anomaly } of this.#queue.entries()) {
      const { refusal } = this.#rules.gate(anomaly);
      if (refusal === null || refusal === "filtered" || this.#ledger.knows(anomaly.id)) continue;
      this.#remove(anomaly.id);
      this.#fate(refusal, 1);
    }
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

  /** True while something critical is due whose readers do not know how bad it is. */
  hasCritical(nowMs: number): boolean {
    return [...this.#queue.entries()].some(
      ({ anomaly, dueMs }) =>
        dueMs <= nowMs &&
        anomaly.severity === "critical" &&
        anomaly.state !== "resolved" &&
        this.#ledger.isNews(anomaly),
    );
  }

  /** Those of these anomalies that the readers know by name. */
  known(anomalies: readonly Anomaly[]): Anomaly[] {
    return anomalies.filter(({ id }) => this.#ledger.knows(id));
  }

  /** Takes out what the next message tells; with `everything`, all that waits, due or not. */
  take(nowMs: number, everything: boolean): Group | undefined {
    const { everyEvent } = this.#rules;
    const tellsAll = everything || everyEvent || this.#governor.isStorm(nowMs);
    const group = nextGroup(this.#queue.entries(), nowMs, {
      scope: tellsAll ? "all" : "detector",
      namesAll: everyEvent,
      isEager: everything,
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
      this.#put(newer ? this.#joined(entry, newer) : entry);
    }
  }

  /** The group will never be accepted. */
  refused(group: Group, reason: DeliveryReason): void {
    const entries = entriesOf(group);
    this.#store.bury(entries, reason);
    this.#fate("lost", entries.length);
    this.#landed(group);
  }

  /** Gives up what has waited too long; says how many. */
  expire(nowMs: number): number {
    const lost = this.#lose(
      ({ acceptedMs, heldUntilMs }) =>
        nowMs - Math.max(acceptedMs, heldUntilMs) > this.#rules.giveUpMs,
    );
    this.#store.bury(lost, "expired");
    return lost.length;
  }

  /** Gives up what waits, all of it or what is named; says how many. */
  purge(ids: readonly string[]): number {
    return this.#lose(({ anomaly }) => ids.length === 0 || ids.includes(anomaly.id)).length;
  }

  /** What came for these anomalies while they were under way is judged again, now that it is known what was told. */
  #landed(group: Group): void {
    this.#inFlight.clear();
    for (const { anomaly } of entriesOf(group)) {
      const follower = this.#queue.get(anomaly.id);
      if (!follower) {
        this.#store.drop(anomaly.id);
        continue;
      }
      const verdict = this.#ledger.judge(follower.anomaly, this.#rules.gate(follower.anomaly));
      if (isTelling(verdict)) continue;
      this.#remove(anomaly.id);
      this.#fate(verdict, 1);
    }
  }

  #lose(isLost: (entry: Entry) => boolean): Entry[] {
    const lost = this.#queue.entries().filter(isLost);
    for (const { anomaly } of lost) this.#remove(anomaly.id);
    if (lost.length > 0) this.#fate("lost", lost.length);
    return lost;
  }

  #put(entry: Entry): void {
    this.#store.keep(entry);
    const dropped = this.#queue.put(entry);
    if (!dropped) return;
    this.#store.drop(dropped.anomaly.id);
    this.#fate("dropped", 1);
  }

  #remove(id: string): void {
    this.#queue.remove(id);
    this.#store.drop(id);
  }

  #joined(older: Entry, newer: Entry): Entry {
    return joined(older, newer, this.#ledger.knows(newer.anomaly.id));
  }

  #dueMs({ severity, state }: Anomaly, nowMs: number): number {
    const isAtOnce = this.#rules.everyEvent || (severity === "critical" && state !== "resolved");
    return isAtOnce ? nowMs : nowMs + this.#rules.groupWaitMs;
  }
}

/** True for what opens again while its end is still held back: then there was no end. */
function isBackAgain(waiting: Entry, { state }: Anomaly): boolean {
  return waiting.anomaly.state === "resolved" && state !== "resolved";
}

function anomaliesOf(entries: readonly Entry[]): Anomaly[] {
  return entries.map(({ anomaly }) => anomaly);
}
