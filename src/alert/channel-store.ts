// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Clock } from "../util/clock.ts";
import { type GovernorState, shifted } from "./governor.ts";
import type { Outbox } from "./outbox/outbox.ts";
import type { DeadLetter, StoredTold } from "./outbox/records.ts";
import type { Entry } from "./queue.ts";

const LINE = "line";

/** What must not start afresh with the program. Times are monotonic milliseconds. */
export interface LineMemory {
  readonly pauseUntilMs: number;
  readonly governor: GovernorState;
}

/**
 * One channel's part of the outbox. The program lives on monotonic time, which starts over with it; what is stored is on
 * wall-clock time. This is where one becomes the other.
 */
export class ChannelStore {
  readonly #outbox: Outbox;
  readonly #channel: string;
  readonly #clock: Clock;
  #deadLetterLimit: number;

  constructor(outbox: Outbox, channel: string, clock: Clock, deadLetterLimit: number) {
    this.#outbox = outbox;
    this.#channel = channel;
    this.#clock = clock;
    this.#deadLetterLimit = deadLetterLimit;
  }

  set deadLetterLimit(limit: number) {
    this.#deadLetterLimit = limit;
  }

  get isDurable(): boolean {
    return this.#outbox.isDurable;
  }

  /** What an earlier run left to be told, oldest first. */
  waiting(): Entry[] {
    const nowMs = this.#clock.monotonicMs();
    return this.#outbox
      .list("waiting", this.#channel)
      .map(({ body }) => {
        const heldUntilMs = this.#fromWall(body.heldUntilMs);
        return {
          anomaly: body.anomaly,
          severity: body.severity,
          // A wall clock that was set back must not make it wait for a time that has been.
          acceptedMs: Math.min(nowMs, this.#fromWall(body.acceptedMs)),
          dueMs: Math.min(Math.max(nowMs, heldUntilMs), this.#fromWall(body.dueMs)),
          heldUntilMs,
        };
      })
      .sort((a, b) => a.acceptedMs - b.acceptedMs);
  }

  /** What the readers were told by earlier runs, by incident. */
  told(): [string, StoredTold][] {
    return this.#outbox.list("told", this.#channel).map(({ id, body }) => [id, body]);
  }

  line(): LineMemory | undefined {
    const stored = this.#outbox.get("line", this.#channel, LINE);
    if (!stored) return undefined;
    return {
      pauseUntilMs: this.#fromWall(stored.pauseUntilMs),
      governor: shifted(stored.governor, -this.#wallAheadMs),
    };
  }

  keep(entry: Entry): void {
    const { anomaly, severity, acceptedMs, dueMs, heldUntilMs } = entry;
    this.#outbox.set("waiting", this.#channel, anomaly.id, {
      anomaly,
      severity,
      acceptedMs: this.#toWall(acceptedMs),
      dueMs: this.#toWall(dueMs),
      heldUntilMs: this.#toWall(heldUntilMs),
    });
  }

  drop(id: string): void {
    this.#outbox.delete("waiting", this.#channel, id);
  }

  know(id: string, told: StoredTold): void {
    this.#outbox.set("told", this.#channel, id, told);
  }

  forget(id: string): void {
    this.#outbox.delete("told", this.#channel, id);
  }

  saveLine({ pauseUntilMs, governor }: LineMemory): void {
    this.#outbox.set("line", this.#channel, LINE, {
      pauseUntilMs: this.#toWall(pauseUntilMs),
      governor: shifted(governor, this.#wallAheadMs),
    });
  }

  /** Keeps what was given up, within the limit: the oldest go first. */
  bury(entries: readonly Entry[], reason: DeadLetter["reason"]): void {
    for (const { anomaly, severity } of entries) {
      const atMs = this.#clock.now();
      this.#outbox.delete("dead", this.#channel, anomaly.id);
      this.#outbox.set("dead", this.#channel, anomaly.id, { anomaly, severity, reason, atMs });
    }
    const dead = this.#outbox.list("dead", this.#channel).sort((a, b) => a.body.atMs - b.body.atMs);
    for (const { id } of dead.slice(0, Math.max(0, dead.length - this.#deadLetterLimit))) {
      this.#outbox.delete("dead", this.#channel, id);
    }
  }

  /** How many dead letters are kept. */
  get deadLetters(): number {
    return this.#outbox.list("dead", this.#channel).length;
  }

  /** Resolves once all of it is on the disk or cannot be put there; undefined where that is so already. */
  safe(): Promise<void> | undefined {
    return this.#outbox.safe();
  }

  get #wallAheadMs(): number {
    return this.#clock.now() - this.#clock.monotonicMs();
  }

  #toWall(monotonicMs: number): number {
    return monotonicMs + this.#wallAheadMs;
  }

  #fromWall(wallMs: number): number {
    return wallMs - this.#wallAheadMs;
  }
}
