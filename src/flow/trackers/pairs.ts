// SPDX-License-Identifier: AGPL-3.0-or-later
import { Login, type Packet } from "../../decode/packet.ts";
import { formatAddress } from "../../util/address.ts";
import type { FlowRows } from "../flow-rows.ts";
import { PAIR_WORDS, setPair } from "../pair-key.ts";
import { addFields } from "../row-merge.ts";
import { EntityTable } from "../sketch/entity-table.ts";
import {
  FlowEvent,
  type FlowKey,
  type Tracker,
  type TrackerContext,
  type TrackerDefinition,
} from "../tracker.ts";

/** What one client did at one TCP service, or at a login over UDP, in a window. */
export interface PairRow {
  readonly client: string;
  readonly server: string;
  readonly port: number;
  /** TCP connections established. */
  readonly connections: number;
  /** Connections in which the server had no data to send within 10 s, and got no upload to work on. */
  readonly starved: number;
  /** Connections whose client kept its window shut for 10 s and took next to nothing. */
  readonly stalled: number;
  /** Connections that ended after a few kilobytes from the server at most. */
  readonly brief: number;
  /** Those of them in which neither end said anything. */
  readonly empty: number;
  /** Logins in clear text that the server refused, and granted. */
  readonly loginsFailed: number;
  readonly loginsSucceeded: number;
  /** HTTP/1.x requests in clear text, and responses 401 and 403 to them. */
  readonly requests: number;
  readonly unauthorized: number;
}

declare module "../window.ts" {
  interface TrackerRows {
    readonly pairs: readonly PairRow[];
  }
}

const TCP = 6;
const CAPACITY = 8192;
const ROW_LIMIT = 256;
/** Frames of an end that says nothing, with time stamps, and what the options of its first add. */
const EMPTY_FRAME_BYTES = { ipv4: 66, ipv6: 86 } as const;
const SYN_OPTIONS_BYTES = 14;
const UNAUTHORIZED_STATUS = 401;
const FORBIDDEN_STATUS = 403;

const COUNTS = [
  ...(["connections", "starved", "loginsFailed", "loginsSucceeded"] as const),
  ...(["requests", "unauthorized", "brief", "stalled", "empty"] as const),
] as const;
const [CONNECTIONS, STARVED, LOGINS_FAILED, LOGINS_SUCCEEDED] = [0, 1, 2, 3];
const [REQUESTS, UNAUTHORIZED, BRIEF, STALLED, EMPTY] = [4, 5, 6, 7, 8];

const COLUMNS: Readonly<Record<number, number>> = {
  [FlowEvent.ESTABLISHED]: CONNECTIONS,
  [FlowEvent.STARVED]: STARVED,
  [FlowEvent.BRIEF]: BRIEF,
  [FlowEvent.STALLED]: STALLED,
};

/** What the http decoder leaves; declared there. */
interface HttpCounts {
  readonly http?: {
    readonly packet: number;
    readonly requests: number;
    readonly responses: number;
    readonly status: number;
  };
}

class Pairs implements Tracker<PairRow> {
  readonly #table: EntityTable;
  readonly #flowRows: FlowRows;

  constructor({ hashSeed, evicted, flowRows }: TrackerContext) {
    this.#flowRows = flowRows;
    this.#table = new EntityTable({
      ...{ capacity: CAPACITY, hashSeed, evicted },
      ...{ keyWords: 9, windowWords: COUNTS.length },
    });
  }

  onFlow(event: number, flow: FlowKey): void {
    if (flow.ipProtocol !== TCP) return;
    const { key } = this.#table;
    key[0] = flow.client0;
    key[1] = flow.client1;
    key[2] = flow.client2;
    key[3] = flow.client3;
    key[4] = flow.server0;
    key[5] = flow.server1;
    key[6] = flow.server2;
    key[7] = flow.server3;
    key[8] = flow.serverPort;
    this.#count(COLUMNS[event] ?? CONNECTIONS, 1, flow.timeMs);
    if (event === FlowEvent.BRIEF && this.#isEmpty(flow)) this.#count(EMPTY, 1, flow.timeMs);
  }

  /** A packet that tells the outcome of a login, or one of HTTP. */
  onPacket(packet: Packet, timeMs: number): void {
    if (packet.login !== 0) {
      this.#setKey(packet);
      const failed = packet.login === Login.FAILED;
      this.#count(failed ? LOGINS_FAILED : LOGINS_SUCCEEDED, 1, timeMs);
      return;
    }
    const { http } = packet.facts as HttpCounts;
    if (http === undefined || http.packet !== packet.number) return;
    if (http.requests > 0) {
      this.#setKey(packet);
      this.#count(REQUESTS, http.requests, timeMs);
    } else if (http.responses > 0) {
      if (http.status !== UNAUTHORIZED_STATUS && http.status !== FORBIDDEN_STATUS) return;
      this.#setKey(packet);
      this.#count(UNAUTHORIZED, http.responses, timeMs);
    }
  }

  /** A payload leaves a verdict, unless it is of no known protocol or was cut off: then the bytes tell. */
  #isEmpty({ slot, ipVersion }: FlowKey): boolean {
    const rows = this.#flowRows;
    if (rows.verdict(slot) !== 0) return false;
    const frameBytes = ipVersion === 6 ? EMPTY_FRAME_BYTES.ipv6 : EMPTY_FRAME_BYTES.ipv4;
    for (let side = 0; side < 2; side++) {
      const most = frameBytes * rows.packets(slot, side) + SYN_OPTIONS_BYTES;
      if (rows.bytes(slot, side) > most) return false;
    }
    return true;
  }

  close(): PairRow[] {
    const table = this.#table;
    const found = table
      .best(ROW_LIMIT, (slot) => weigh((column) => table.value(slot, column)))
      .map((slot) => this.#describe(slot));
    table.clear();
    return found;
  }

  size(): number {
    return this.#table.size;
  }

  #count(column: number, amount: number, timeMs: number): void {
    const table = this.#table;
    const slot = table.claim(timeMs);
    table.add(slot, column, amount);
    table.weigh(slot, amount);
  }

  #setKey(packet: Packet): void {
    const { key } = this.#table;
    const isFromServer = packet.flowSide === 1;
    setPair(key, packet, isFromServer);
    key[PAIR_WORDS] = isFromServer ? packet.sourcePort : packet.destinationPort;
  }

  #describe(slot: number): PairRow {
    const table = this.#table;
    const word = (index: number): number => table.keyWord(slot, index);
    return {
      client: table.address(slot),
      server: formatAddress(word(4), word(5), word(6), word(7)),
      port: word(8),
      ...table.named(slot, COUNTS),
    };
  }
}

/** Order of rows: failures and starved connections first, then by what was done. */
function weigh(value: (column: number) => number): number {
  const held = value(STARVED) + value(STALLED);
  const hostile = held + value(BRIEF) + value(LOGINS_FAILED) + value(UNAUTHORIZED);
  return hostile * 65_536 + Math.min(value(CONNECTIONS) + value(REQUESTS), 65_534) + 1;
}

/** What each client does at each service: evidence of guessed passwords, floods of requests and starved servers. */
export const pairs: TrackerDefinition<"pairs"> = {
  name: "pairs",
  help: "connections, logins and requests of each client at each service",
  capacity: CAPACITY,
  events: [FlowEvent.ESTABLISHED, FlowEvent.STARVED, FlowEvent.BRIEF, FlowEvent.STALLED],
  application: ["http", "http2"],
  logins: true,
  rows: {
    limit: ROW_LIMIT,
    key: (row) => `${row.client} ${row.server} ${row.port}`,
    weight: (row) => weigh((column) => row[COUNTS[column] as (typeof COUNTS)[number]]),
    merge: (earlier, later) => ({ ...later, ...addFields(earlier, later, COUNTS) }),
  },
  create: (context) => new Pairs(context),
};
