// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Packet } from "../../decode/packet.ts";
import { formatAddress } from "../../util/address.ts";
import { lastingI32 } from "../../util/lasting.ts";
import { i32 } from "../../util/typed.ts";
import type { AiCall } from "../ai/ai-call.ts";
import { destinationOf, hostIn } from "../ai/destination-names.ts";
import {
  type AiDestinationRow,
  DESTINATIONS_MAX,
  DestinationTable,
} from "../ai/destination-table.ts";
import { FollowedFlows } from "../ai/followed-flows.ts";
import type { Names } from "../ai/names.ts";
import type { FlowRows } from "../flow-rows.ts";
import { addFields, greaterFields } from "../row-merge.ts";
import { EntityTable } from "../sketch/entity-table.ts";
import {
  emptyFlowKey,
  FlowEvent,
  type FlowKey,
  type Tracker,
  type TrackerContext,
  type TrackerDefinition,
} from "../tracker.ts";

declare module "../window.ts" {
  interface TrackerRows {
    readonly ai_destinations: readonly AiDestinationRow[];
  }
}

const ROW_LIMIT = 512;
const CALLERS_MAX = 4096;
/** A client that called a model is looked at for so long. */
const CALLER_MS = 7 * 24 * 3_600_000;
const TCP = 6;
/** What a client sends until its TCP connection stands comes to less, on the wire. */
const HANDSHAKE_BYTES = 300;
/** Of a flow: nothing is known, or wanted; it may yet tell its name; or its place in the table, plus one. */
const NOTHING = 0;
const UNNAMED = -1;

class AiDestinations implements Tracker<AiDestinationRow> {
  readonly #names: Names;
  readonly #rows: FlowRows;
  readonly #evicted: (count: number) => void;
  readonly #callers: EntityTable;
  readonly #table: DestinationTable;
  readonly #followed: FollowedFlows;
  /** By slot of the flow table; see NOTHING. */
  readonly #placeOf: Int32Array;
  /** By slot: tag of the place. */
  readonly #tagOf: Int32Array;
  readonly #flow: FlowKey = emptyFlowKey();
  #timeMs = 0;

  constructor(context: TrackerContext) {
    const { hashSeed, evicted, names, flowRows } = context;
    this.#names = names;
    this.#rows = flowRows;
    this.#evicted = evicted;
    this.#table = new DestinationTable(context);
    this.#callers = new EntityTable({
      ...{ capacity: CALLERS_MAX, idleMs: CALLER_MS, hashSeed, evicted },
      ...{ keyWords: 4, windowWords: 0 },
    });
    this.#placeOf = lastingI32(flowRows.capacity);
    this.#tagOf = lastingI32(flowRows.capacity);
    this.#followed = new FollowedFlows(
      flowRows,
      names,
      (slot) => i32(this.#placeOf, slot) !== NOTHING,
      (slot, up, down) => this.#carried(slot, up, down),
    );
  }

  onCall({ client0, client1, client2, client3, endMs }: AiCall): void {
    const { key } = this.#callers;
    key[0] = client0;
    key[1] = client1;
    key[2] = client2;
    key[3] = client3;
    this.#callers.weigh(this.#callers.claim(endMs), 1);
  }

  onFlow(event: number, flow: FlowKey): void {
    const { slot } = flow;
    if (event === FlowEvent.STARTED) this.#placeOf[slot] = NOTHING;
    else if (flow.ipProtocol === TCP && this.#isCaller(flow)) {
      this.#placeOf[slot] = UNNAMED;
      this.#follow(slot, true);
    }
  }

  onNamed(packet: Packet, timeMs: number): void {
    if (this.#callers.size === 0) return;
    const slot = packet.flow;
    const host = hostIn(packet);
    const flow = this.#read(slot);
    const arrival = {
      destination: host === "" ? serverOf(flow) : destinationOf(host),
      isNamed: host !== "",
      isProvider: this.#names.row(slot) >= 0,
      family: this.#names.familyNumber(slot),
    };
    if (!this.#isCaller(flow)) {
      this.#table.pass(arrival, flow, timeMs);
      this.#placeOf[slot] = NOTHING;
      return;
    }
    const place = this.#keep(slot, this.#table.arrive(arrival, flow, timeMs));
    // An HTTP request has no handshake of its own that could be waited for.
    if (packet.facts.hello?.packet !== packet.number) this.#table.answered(place, timeMs);
    this.#follow(slot, this.#names.isFirst);
  }

  onAnswered({ flow }: Packet, timeMs: number): void {
    const place = this.#placeFor(flow);
    if (place >= 0) this.#table.answered(place, timeMs);
  }

  settle(timeMs: number): void {
    this.#timeMs = timeMs;
    this.#followed.sweep();
  }

  close(timeMs: number): AiDestinationRow[] {
    this.#callers.endWindow(timeMs);
    return this.#table.close(ROW_LIMIT, timeMs, (family) => this.#names.familyName(family));
  }

  size(): number {
    return this.#table.size;
  }

  #follow(slot: number, isFirst: boolean): void {
    if (!this.#followed.follow(slot, isFirst)) this.#evicted(1);
  }

  #keep(slot: number, place: number): number {
    this.#placeOf[slot] = place + 1;
    this.#tagOf[slot] = this.#table.tag(place);
    return place;
  }

  /** The flow's place in the table, -1 where it has none, or lost it. */
  #placeFor(slot: number): number {
    const place = i32(this.#placeOf, slot) - 1;
    return place >= 0 && this.#table.holds(place, i32(this.#tagOf, slot)) ? place : -1;
  }

  #carried(slot: number, up: number, down: number): void {
    if (i32(this.#placeOf, slot) === UNNAMED) {
      // So far only the handshake of TCP: a hello may be on its way.
      if (this.#rows.bytes(slot, 0) < HANDSHAKE_BYTES) return;
      this.#arriveUnnamed(slot);
    }
    const place = this.#placeFor(slot);
    if (place >= 0) this.#table.carried(place, up, down, this.#timeMs);
    else this.#placeOf[slot] = NOTHING;
  }

  #arriveUnnamed(slot: number): void {
    const flow = this.#read(slot);
    const arrival = { destination: serverOf(flow), isNamed: false, isProvider: false, family: 0 };
    const place = this.#keep(slot, this.#table.arrive(arrival, flow, this.#timeMs));
    this.#table.answered(place, this.#timeMs);
  }

  #isCaller({ client0, client1, client2, client3 }: FlowKey): boolean {
    if (this.#callers.size === 0) return false;
    const { key } = this.#callers;
    key[0] = client0;
    key[1] = client1;
    key[2] = client2;
    key[3] = client3;
    return this.#callers.lookUp() >= 0;
  }

  /** Ends of a flow, the one that greeted being the client. */
  #read(slot: number): FlowKey {
    const flow = this.#flow;
    this.#rows.readKey(slot, flow);
    if (this.#names.clientSide(slot) === 1) turn(flow);
    return flow;
  }
}

function turn(flow: FlowKey): void {
  [flow.client0, flow.server0] = [flow.server0, flow.client0];
  [flow.client1, flow.server1] = [flow.server1, flow.client1];
  [flow.client2, flow.server2] = [flow.server2, flow.client2];
  [flow.client3, flow.server3] = [flow.server3, flow.client3];
  [flow.clientPort, flow.serverPort] = [flow.serverPort, flow.clientPort];
}

function serverOf({ server0, server1, server2, server3 }: FlowKey): string {
  return formatAddress(server0, server1, server2, server3);
}

/** Where clients that call language models go besides, and how much they carry there. */
export const aiDestinations: TrackerDefinition<"ai_destinations"> = {
  name: "ai_destinations",
  help: "where clients that call language models go, and what they carry there",
  capacity: DESTINATIONS_MAX,
  calls: true,
  named: true,
  events: [FlowEvent.STARTED, FlowEvent.ESTABLISHED],
  rows: {
    limit: ROW_LIMIT,
    key: (row) => `${row.client} ${row.destination}`,
    weight: (row) => row.begun + row.answered + row.upBytes,
    merge: (earlier, later) => ({
      ...later,
      ...addFields(earlier, later, ["begun", "answered", "upBytes", "downBytes"]),
      ...greaterFields(earlier, later, ["startMs", "clients"]),
    }),
  },
  create: (context) => new AiDestinations(context),
};
