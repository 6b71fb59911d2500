// SPDX-License-Identifier: AGPL-3.0-or-later
import { lastingI32 } from "../util/lasting.ts";
import { i32 } from "../util/typed.ts";
import { FlowState, STATE_MASK, StateFlag } from "./flow-state.ts";
import type { FlowTable } from "./flow-table.ts";

const UNANSWERED_AFTER_MS = 3000;
const INT32_MIN = -0x80000000;

/** Each new SYN settles two that are due: a flood pays for its own time-outs. */
const SETTLED_PER_SYN = 2;

/** First SYNs that wait for an answer, oldest first, in a ring as long as the flow table. */
export class SynTimeouts {
  readonly #table: FlowTable;
  readonly #report: (slot: number, dueAt: number) => void;
  readonly #slots: Int32Array;
  readonly #started: Int32Array;
  readonly #mask: number = 0;
  #head = 0;
  #length = 0;

  /** `report` is called once for each flow whose SYN went unanswered, with the time at which that was so. */
  constructor(table: FlowTable, report: (slot: number, dueAt: number) => void) {
    this.#table = table;
    this.#report = report;
    this.#slots = lastingI32(table.capacity);
    this.#started = lastingI32(table.capacity);
    this.#mask = table.capacity - 1;
  }

  /** Watches a flow that begins now; false where the one watched longest had to be given up for it. */
  watch(slot: number, now: number): boolean {
    this.settle(now, SETTLED_PER_SYN);
    const isFull = this.#length > this.#mask;
    if (isFull) this.#pop();
    const at = (this.#head + this.#length) & this.#mask;
    this.#slots[at] = slot;
    this.#started[at] = now;
    this.#length++;
    return !isFull;
  }

  /** Looks at the SYNs that are due, `limit` at most. */
  settle(now: number, limit: number): void {
    for (let settled = 0; settled < limit && this.#length > 0; settled++) {
      const started = i32(this.#started, this.#head);
      if (now - started < UNANSWERED_AFTER_MS) return;
      const slot = i32(this.#slots, this.#head);
      this.#pop();
      if (!this.#isUnanswered(slot, started)) continue;
      const { rows } = this.#table;
      rows.setState(slot, rows.state(slot) | StateFlag.REPORTED);
      this.#report(slot, started + UNANSWERED_AFTER_MS);
    }
  }

  /** Makes every time kept relative to an epoch `byMs` later. */
  shiftEpoch(byMs: number): void {
    for (let at = 0; at <= this.#mask; at++) {
      this.#started[at] = Math.max(i32(this.#started, at) - byMs, INT32_MIN);
    }
  }

  #pop(): void {
    this.#head = (this.#head + 1) & this.#mask;
    this.#length--;
  }

  /** Slot and start name the flow: under a flood the slot has mostly another one by now. */
  #isUnanswered(slot: number, started: number): boolean {
    const { rows } = this.#table;
    if (rows.started(slot) !== started || !rows.isUsed(slot)) return false;
    const state = rows.state(slot);
    return (state & STATE_MASK) === FlowState.SYN_SENT && (state & StateFlag.REPORTED) === 0;
  }
}
