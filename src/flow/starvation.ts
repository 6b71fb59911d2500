// SPDX-License-Identifier: AGPL-3.0-or-later
import { i32 } from "../util/typed.ts";
import { FlowState, STATE_MASK } from "./flow-state.ts";
import type { FlowTable } from "./flow-table.ts";

const STARVED_AFTER_MS = 10_000;
const INT32_MIN = -0x80000000;
/** Connections watched at once; of more, the oldest are given up: a flood of connections is found by their number. */
const CAPACITY = 16_384;
/** Mean length of a server's frames that carry no data: SYN-ACK and ACK with options, over IPv6 at most. */
const EMPTY_FRAME_BYTES = 98;
/**
 * More than TCP lets a client send before its server takes anything (RFC 9293: a window of 65,535 bytes, unscaled): the
 * server is at work on an upload, and whoever sends that much holds nothing open cheaply.
 */
const UPLOAD_BYTES = 65_536;

/** Connections whose server may yet send data, or take it, oldest first, in a ring. */
export class Starvation {
  readonly #table: FlowTable;
  readonly #report: (slot: number, dueAt: number) => void;
  readonly #slots = new Int32Array(CAPACITY);
  /** Start of the flow, which tells it from a later one in the same slot, and when its handshake ended. */
  readonly #started = new Int32Array(CAPACITY);
  readonly #since = new Int32Array(CAPACITY);
  #head = 0;
  #length = 0;

  /** `report` is called once for each connection that got no data and took none to speak of, with the time at which that was so. */
  constructor(table: FlowTable, report: (slot: number, dueAt: number) => void) {
    this.#table = table;
    this.#report = report;
  }

  /** Watches a connection that was established now. */
  watch(slot: number, now: number): void {
    if (this.#length === CAPACITY) this.#pop();
    const at = (this.#head + this.#length) & (CAPACITY - 1);
    this.#slots[at] = slot;
    this.#started[at] = this.#table.rows.started(slot);
    this.#since[at] = now;
    this.#length++;
  }

  /** Looks at the connections that are due. */
  settle(now: number): void {
    while (this.#length > 0) {
      const since = i32(this.#since, this.#head);
      if (now - since < STARVED_AFTER_MS) return;
      const slot = i32(this.#slots, this.#head);
      const started = i32(this.#started, this.#head);
      this.#pop();
      if (this.#isStarved(slot, started)) this.#report(slot, since + STARVED_AFTER_MS);
    }
  }

  /** Makes every time kept relative to an epoch `byMs` later. */
  shiftEpoch(byMs: number): void {
    for (let at = 0; at < CAPACITY; at++) {
      this.#started[at] = Math.max(i32(this.#started, at) - byMs, INT32_MIN);
      this.#since[at] = Math.max(i32(this.#since, at) - byMs, INT32_MIN);
    }
  }

  #pop(): void {
    this.#head = (this.#head + 1) & (CAPACITY - 1);
    this.#length--;
  }

  #isStarved(slot: number, started: number): boolean {
    const { rows } = this.#table;
    if (!rows.isUsed(slot) || rows.started(slot) !== started) return false;
    if ((rows.state(slot) & STATE_MASK) !== FlowState.ESTABLISHED) return false;
    if (rows.bytes(slot, 0) > UPLOAD_BYTES) return false;
    return rows.bytes(slot, 1) <= EMPTY_FRAME_BYTES * rows.packets(slot, 1);
  }
}
