// SPDX-License-Identifier: AGPL-3.0-or-later
import { emptyPacket, type Packet } from "../decode/packet.ts";
import type { FlowTable } from "./flow-table.ts";
import { isUnreachable, readQuoted } from "./quoted.ts";

/** The flows that ICMP errors are about. */
export class QuotedFlows {
  readonly #table: FlowTable;
  readonly #refuse: (slot: number, timeMs: number, lengthBytes: number) => void;
  readonly #quoted: Packet = emptyPacket({});

  /** `refuse` is called with the flow of each packet that an error says was not taken, and the error's length. */
  constructor(
    table: FlowTable,
    refuse: (slot: number, timeMs: number, lengthBytes: number) => void,
  ) {
    this.#table = table;
    this.#refuse = refuse;
  }

  /**
   * Takes an ICMP error and returns whether it was asked for: its receiver has sent a packet that it can be about.
   * `own` is the error's own flow, which it does not refuse, -1 for none yet.
   */
  take(error: Packet, own: number, now: number, timeMs: number): boolean {
    const quoted = this.#quoted;
    if (!readQuoted(error, quoted)) return false;
    const table = this.#table;
    const slot = table.peek(quoted);
    if (slot < 0 || table.rows.expiry(slot) <= now) return false;
    const side = table.peekedSide;
    const unlike =
      (quoted.source0 ^ error.destination0) |
      (quoted.source1 ^ error.destination1) |
      (quoted.source2 ^ error.destination2) |
      (quoted.source3 ^ error.destination3);
    const isAskedFor = unlike === 0 && table.rows.owesError(slot, side);
    if (slot !== own && side === 0 && isUnreachable(error)) {
      this.#refuse(slot, timeMs, error.wireLength);
    }
    return isAskedFor;
  }
}
