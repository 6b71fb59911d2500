// SPDX-License-Identifier: AGPL-3.0-or-later
import { lastingF64 } from "../util/lasting.ts";
import { f64 } from "../util/typed.ts";
import type { FlowTable } from "./flow-table.ts";
import { emptyFlowKey, type FlowKey, type Tracker } from "./tracker.ts";

/** Flows looked at when a window ends, so that no packet waits for it longer than about a millisecond. */
const SLOTS_PER_WINDOW = 32_768;
/** Bytes of a flow, both ways, that are worth an event. */
const LEAST_BYTES = 16_384;

type Listener = Required<Pick<Tracker, "onVolume">>;

/**
 * Says what flows carry while they last, without a cost for their packets: when a window ends, the byte counts of
 * some of the flows are compared with what they were the last time. The last 16 kB of a flow are not told.
 */
export class FlowVolumes {
  readonly #table: FlowTable;
  /** By slot, what was told of the client's and the server's bytes. */
  readonly #told: Float64Array;
  readonly #key: FlowKey = emptyFlowKey();
  readonly #listeners: Listener[] = [];
  #next = 0;

  constructor(table: FlowTable) {
    this.#table = table;
    this.#told = lastingF64(2 * table.capacity);
  }

  subscribe(tracker: Tracker): void {
    this.#listeners.push(tracker as Listener);
  }

  /** Looks at the next flows in turn, from the last one on to the first again: new ones do not keep old ones waiting. */
  sweep(timeMs: number): void {
    const { end } = this.#table;
    let slot = this.#next;
    for (let looks = Math.min(end, SLOTS_PER_WINDOW); looks > 0; looks--) {
      if (slot >= end) slot = 0;
      this.#look(slot++, timeMs);
    }
    this.#next = slot;
  }

  #look(slot: number, timeMs: number): void {
    const { rows } = this.#table;
    const at = 2 * slot;
    const isUsed = rows.isUsed(slot);
    const client = isUsed ? rows.bytes(slot, 0) : 0;
    const server = isUsed ? rows.bytes(slot, 1) : 0;
    if (client < f64(this.#told, at) || server < f64(this.#told, at + 1)) {
      // Another flow has this place now.
      this.#told[at] = 0;
      this.#told[at + 1] = 0;
    }
    const clientMore = client - f64(this.#told, at);
    const serverMore = server - f64(this.#told, at + 1);
    if (clientMore + serverMore < LEAST_BYTES) return;
    this.#told[at] = client;
    this.#told[at + 1] = server;
    rows.readKey(slot, this.#key);
    this.#key.timeMs = timeMs;
    for (const listener of this.#listeners) listener.onVolume(this.#key, clientMore, serverMore);
  }
}
