// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../decode/packet.ts";
import { observe } from "../metrics/cells.ts";
import { i32 } from "../util/typed.ts";
import { type FlowRows, MARKS, Mark, ROW_SHIFT, STAMP } from "./flow-rows.ts";
import { RTT_BUCKETS } from "./tcp-metrics.ts";

const { TIMED } = Mark;
const MICROSECONDS = 1e6;
/** Seconds after which the microseconds of a stamp begin again; they fill an int32. */
const WRAP_SECONDS = 2048;
const WRAP = WRAP_SECONDS * MICROSECONDS;

/**
 * Times TCP handshakes: from the client's SYN to its acknowledgment of the SYN-ACK, the whole way there and back wherever
 * the capture is. What was sent twice is not timed (RFC 6298 §3).
 */
export class RoundTrips {
  readonly #rows: FlowRows;
  readonly #counters: Float64Array;
  readonly #cells: number;

  /** `cells` is the first of the histogram's. */
  constructor(rows: FlowRows, counters: Float64Array, cells: number) {
    this.#rows = rows;
    this.#counters = counters;
    this.#cells = cells;
  }

  /** The first SYN of a flow. */
  begin(slot: number, packet: Packet): void {
    const { words } = this.#rows;
    const row = slot << ROW_SHIFT;
    words[row + MARKS] = i32(words, row + MARKS) | TIMED;
    words[row + STAMP] = microseconds(packet);
  }

  /** The SYN or its answer came again. */
  repeat(slot: number): void {
    const { words } = this.#rows;
    const marks = (slot << ROW_SHIFT) + MARKS;
    words[marks] = i32(words, marks) & ~TIMED;
  }

  /** The client's acknowledgment. */
  end(slot: number, packet: Packet): void {
    const { words } = this.#rows;
    const row = slot << ROW_SHIFT;
    if ((i32(words, row + MARKS) & TIMED) === 0) return;
    const took = microseconds(packet) - i32(words, row + STAMP);
    const seconds = (took < 0 ? took + WRAP : took) / MICROSECONDS;
    observe(this.#counters, this.#cells, RTT_BUCKETS, seconds);
  }
}

function microseconds(packet: Packet): number {
  return (packet.seconds % WRAP_SECONDS) * MICROSECONDS + Math.floor(packet.nanoseconds / 1000);
}
