// SPDX-License-Identifier: AGPL-3.0-or-later

import type { MetricDefinition } from "../metrics/metric.ts";
import { lastingI32 } from "../util/lasting.ts";
import { add, i32 } from "../util/typed.ts";
import type { Packet } from "./packet.ts";
import type { DecodeContext } from "./protocol.ts";

/** A power of two, so that a flow's place is some bits of its slot. */
export const CONVERSATIONS = 8192;
/** Words of an owner: its slot plus one, its two ports mixed, and its packets when last seen. */
const OWNER_SHIFT = 2;
const ENDS = 1;
const PACKETS = 2;

/** What a protocol that uses Conversations lists among its metrics. */
export const conversationsForgotten: MetricDefinition = {
  name: "nam_conversations_forgotten_total",
  help: "Flows of which an application decoder forgot how far it had read, because another flow took the place.",
  type: "counter",
};

/**
 * Some words of state for the flows of one protocol, in a table of fixed size: a flow's place follows from its slot in
 * the flow table, and a newer flow takes the place of an older one.
 */
export class Conversations {
  /** The state, `words` a place; all 0 when a flow is new. */
  readonly state: Int32Array;
  readonly #words: number;
  readonly #owners = lastingI32(CONVERSATIONS << OWNER_SHIFT);
  readonly #counters: Float64Array;
  readonly #forgotten: number;

  constructor(words: number, context: DecodeContext) {
    this.state = lastingI32(CONVERSATIONS * words);
    this.#words = words;
    this.#counters = context.counters;
    this.#forgotten = context.base(conversationsForgotten);
  }

  /** Where the state of the packet's flow starts; -1 for a packet without a flow. */
  of(packet: Packet): number {
    const { flow } = packet;
    if (flow < 0) return -1;
    const owners = this.#owners;
    const place = flow & (CONVERSATIONS - 1);
    const owner = place << OWNER_SHIFT;
    const ends = endsOf(packet);
    const isOwn =
      i32(owners, owner) === flow + 1 &&
      i32(owners, owner + ENDS) === ends &&
      i32(owners, owner + PACKETS) < packet.flowPackets;
    if (!isOwn) this.#begin(place, flow, ends);
    owners[owner + PACKETS] = packet.flowPackets;
    return place * this.#words;
  }

  #begin(place: number, flow: number, ends: number): void {
    const owner = place << OWNER_SHIFT;
    const before = i32(this.#owners, owner);
    if (before !== 0 && before !== flow + 1) add(this.#counters, this.#forgotten, 1);
    this.#owners[owner] = flow + 1;
    this.#owners[owner + ENDS] = ends;
    // Faster for so few words than a call of `fill`.
    const to = (place + 1) * this.#words;
    for (let at = place * this.#words; at < to; at++) this.state[at] = 0;
  }
}

/** The same number for both directions of a flow. */
function endsOf({ sourcePort, destinationPort }: Packet): number {
  return (sourcePort ^ destinationPort) | ((sourcePort + destinationPort) << 16);
}
