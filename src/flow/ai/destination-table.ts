// SPDX-License-Identifier: AGPL-3.0-or-later
import { formatAddress } from "../../util/address.ts";
import { i32 } from "../../util/typed.ts";
import { EntityTable } from "../sketch/entity-table.ts";
import type { FlowKey, TrackerContext } from "../tracker.ts";
import { DESTINATION_AT, DESTINATION_WORDS, DestinationNames } from "./destination-names.ts";

/** Where a client that calls language models went in the window, or what it carried there. */
export interface AiDestinationRow {
  readonly client: string;
  /** Registrable domain by SNI, QUIC's or HTTP's host name; the server's address where there is none. */
  readonly destination: string;
  readonly isNamed: boolean;
  /** True for names of AI providers and of tools of agents. */
  readonly isProvider: boolean;
  /** Server of the last connection, and when that was noticed: milliseconds of flow time. */
  readonly server: string;
  readonly port: number;
  readonly startMs: number;
  /** Family of the client by its last ClientHello; empty without TLS. */
  readonly family: string;
  /** Connections that were begun, and those that the server answered. */
  readonly begun: number;
  readonly answered: number;
  /** Bytes on the wire. */
  readonly upBytes: number;
  readonly downBytes: number;
  /** 2 where other clients went there, too, in the last week; else 1. */
  readonly clients: number;
}

/** What is known of a connection when its destination is. */
export interface Arrival {
  readonly destination: string;
  readonly isNamed: boolean;
  readonly isProvider: boolean;
  /** For `familyName`. */
  readonly family: number;
}

/** Clients and destinations at once. */
export const DESTINATIONS_MAX = 4096;
const IDLE_MS = 3_600_000;

const BEGUN = 0;
const ANSWERED = 1;
const UP = 2;
const DOWN = 3;
const WINDOW_WORDS = 4;
const SERVER = WINDOW_WORDS;
const PORT = SERVER + 4;
const START = PORT + 1;
const FAMILY = START + 1;
const CLIENTS = FAMILY + 1;
const IS_NAMED = CLIENTS + 1;
const IS_PROVIDER = IS_NAMED + 1;
const LIFE_WORDS = IS_PROVIDER + 1 - WINDOW_WORDS;

/** What each client has to do with each of its destinations. */
export class DestinationTable {
  readonly #table: EntityTable;
  readonly #names: DestinationNames;
  readonly #texts = new Array<string>(DESTINATIONS_MAX).fill("");

  constructor({ hashSeed, evicted }: Pick<TrackerContext, "hashSeed" | "evicted">) {
    this.#names = new DestinationNames(hashSeed, evicted);
    this.#table = new EntityTable({
      ...{ capacity: DESTINATIONS_MAX, idleMs: IDLE_MS, hashSeed, evicted },
      ...{ keyWords: DESTINATION_AT + DESTINATION_WORDS, windowWords: WINDOW_WORDS },
      lifeWords: LIFE_WORDS,
    });
  }

  get size(): number {
    return this.#table.size;
  }

  /** Only notes that the flow's client goes to the destination. */
  pass({ destination }: Arrival, flow: FlowKey, timeMs: number): void {
    this.#names.note(destination, this.#setClient(flow), timeMs);
  }

  /** A connection of the flow's client to its destination; returns the place that both have here. */
  arrive(arrival: Arrival, flow: FlowKey, timeMs: number): number {
    const table = this.#table;
    const clients = this.#names.note(arrival.destination, this.#setClient(flow), timeMs);
    const place = table.claim(timeMs);
    if (table.isNew) this.#texts[place] = arrival.destination;
    table.weigh(place, 1);
    table.increment(place, BEGUN);
    const { rows } = table;
    const at = table.row(place);
    rows[at + SERVER] = flow.server0;
    rows[at + SERVER + 1] = flow.server1;
    rows[at + SERVER + 2] = flow.server2;
    rows[at + SERVER + 3] = flow.server3;
    rows[at + PORT] = flow.serverPort;
    rows[at + START] = Math.trunc(timeMs) | 0;
    rows[at + FAMILY] = arrival.family;
    rows[at + CLIENTS] = clients;
    rows[at + IS_NAMED] = Number(arrival.isNamed);
    rows[at + IS_PROVIDER] = Number(arrival.isProvider);
    return place;
  }

  /** What tells the place's present owners from later ones. */
  tag(place: number): number {
    return this.#table.keyWord(place, DESTINATION_AT);
  }

  /** True where the place has still the owners that had this tag. */
  holds(place: number, tag: number): boolean {
    return this.#table.isHeld(place) && this.tag(place) === tag;
  }

  answered(place: number, timeMs: number): void {
    this.#use(place, timeMs);
    this.#table.increment(place, ANSWERED);
  }

  carried(place: number, upBytes: number, downBytes: number, timeMs: number): void {
    this.#use(place, timeMs);
    this.#table.add(place, UP, upBytes);
    this.#table.add(place, DOWN, downBytes);
  }

  /** Rows of what there was in the window that ends. */
  close(limit: number, timeMs: number, familyName: (family: number) => string): AiDestinationRow[] {
    const table = this.#table;
    const weight = (place: number): number =>
      table.value(place, BEGUN) + table.value(place, ANSWERED) + table.value(place, UP);
    const rows = table.best(limit, weight).map((place) => this.#row(place, timeMs, familyName));
    table.endWindow(timeMs);
    this.#names.close(timeMs);
    return rows;
  }

  #setClient({ client0, client1, client2, client3 }: FlowKey): Int32Array {
    const { key } = this.#table;
    key[0] = client0;
    key[1] = client1;
    key[2] = client2;
    key[3] = client3;
    return key;
  }

  /** Claims a place that is held, so that it counts in this window. */
  #use(place: number, timeMs: number): void {
    const { key } = this.#table;
    for (let word = 0; word < key.length; word++) key[word] = this.#table.keyWord(place, word);
    this.#table.claim(timeMs);
  }

  #row(place: number, timeMs: number, familyName: (family: number) => string): AiDestinationRow {
    const table = this.#table;
    const value = (column: number): number => table.value(place, column);
    const at = table.row(place) + SERVER;
    const server = (word: number): number => i32(table.rows, at + word);
    return {
      client: table.address(place),
      destination: this.#texts[place] ?? "",
      isNamed: value(IS_NAMED) === 1,
      isProvider: value(IS_PROVIDER) === 1,
      server: formatAddress(server(0), server(1), server(2), server(3)),
      port: value(PORT),
      // Times wrap every 25 days, differences do not.
      startMs: timeMs - ((Math.trunc(timeMs) - value(START)) | 0),
      family: familyName(value(FAMILY)),
      begun: value(BEGUN),
      answered: value(ANSWERED),
      upBytes: value(UP),
      downBytes: value(DOWN),
      clients: value(CLIENTS),
    };
  }
}
