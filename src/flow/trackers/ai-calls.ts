// SPDX-License-Identifier: AGPL-3.0-or-later
import { formatAddress } from "../../util/address.ts";
import { i32 } from "../../util/typed.ts";
import { type AiCall, NO_PROVIDER } from "../ai/ai-call.ts";
import { NO_PROVIDER_LABEL } from "../ai/call-metrics.ts";
import type { Names } from "../ai/names.ts";
import { addFields, greaterFields } from "../row-merge.ts";
import { EntityTable } from "../sketch/entity-table.ts";
import type { Tracker, TrackerContext, TrackerDefinition } from "../tracker.ts";

/** Calls of one client to one AI provider, or to one server that is no provider's, that ended in the window. */
export interface AiCallRow {
  readonly client: string;
  /** `none` where the server's name is no provider's; the category then, too. */
  readonly provider: string;
  readonly category: string;
  /** Server and its name in the last call; the name is empty where the ClientHello or the request had none. */
  readonly server: string;
  readonly port: number;
  readonly host: string;
  readonly protocol: "tls" | "quic" | "http";
  /** Family of the client by its ClientHello. */
  readonly family: string;
  readonly calls: number;
  /** Calls whose reply has the shape of a token stream. */
  readonly streams: number;
  readonly upBytes: number;
  readonly downBytes: number;
  readonly largestUpBytes: number;
  /** Milliseconds between the starts of the last calls, at most 32, in no certain order. */
  readonly intervalsMs: readonly number[];
}

declare module "../window.ts" {
  interface TrackerRows {
    readonly ai_calls: readonly AiCallRow[];
  }
}

const CAPACITY = 4096;
const ROW_LIMIT = 256;
const IDLE_MS = 24 * 3_600_000;
/** Calls that begin together are one. */
const TOGETHER_MS = 500;
const INTERVALS = 32;

/** Words of the key behind the client's address; server and port are 0 where there is a provider. */
const PROVIDER = 4;
const SERVER = 5;
const PORT = 9;
const KEY_WORDS = 10;
/** Words of a row that start over with each window, and those that last. */
const CALLS = 0;
const STREAMS = 1;
const UP = 2;
const DOWN = 3;
const LARGEST_UP = 4;
const WINDOW_WORDS = 5;
const LAST_SERVER = WINDOW_WORDS;
const LAST_PORT = LAST_SERVER + 4;
const TRANSPORT = LAST_PORT + 1;
const STARTS = TRANSPORT + 1;
const LAST_START = STARTS + 1;
const FIRST_INTERVAL = LAST_START + 1;
const LIFE_WORDS = FIRST_INTERVAL + INTERVALS - WINDOW_WORDS;
/** By position in AI_TRANSPORTS. */
const PROTOCOLS = ["tls", "tls", "quic", "http"] as const;

class AiCallRows implements Tracker<AiCallRow> {
  readonly #table: EntityTable;
  readonly #names: Names;
  /** By slot: server name and client family of the last call. */
  readonly #hosts = new Array<string>(CAPACITY).fill("");
  readonly #families = new Array<string>(CAPACITY).fill("");

  constructor({ hashSeed, evicted, names }: TrackerContext) {
    this.#names = names;
    this.#table = new EntityTable({
      ...{ capacity: CAPACITY, idleMs: IDLE_MS, hashSeed, evicted },
      ...{ keyWords: KEY_WORDS, windowWords: WINDOW_WORDS, lifeWords: LIFE_WORDS },
    });
  }

  onCall(call: AiCall): void {
    const table = this.#table;
    this.#setKey(call);
    const slot = table.claim(call.endMs);
    table.weigh(slot, 1);
    table.increment(slot, CALLS);
    table.add(slot, STREAMS, call.isStream ? 1 : 0);
    table.add(slot, UP, call.upBytes);
    table.add(slot, DOWN, call.downBytes);
    table.raise(slot, LARGEST_UP, call.upBytes);
    this.#hosts[slot] = call.host;
    this.#families[slot] = call.family;
    const { rows } = table;
    const at = table.row(slot);
    rows[at + LAST_SERVER] = call.server0;
    rows[at + LAST_SERVER + 1] = call.server1;
    rows[at + LAST_SERVER + 2] = call.server2;
    rows[at + LAST_SERVER + 3] = call.server3;
    rows[at + LAST_PORT] = call.serverPort;
    rows[at + TRANSPORT] = call.transport;
    this.#noteStart(at, call.startMs, table.isNew);
  }

  close(timeMs: number): AiCallRow[] {
    const table = this.#table;
    const found = table
      .best(ROW_LIMIT, (slot) => table.value(slot, CALLS))
      .map((slot) => this.#describe(slot));
    table.endWindow(timeMs);
    return found;
  }

  size(): number {
    return this.#table.size;
  }

  #setKey(call: AiCall): void {
    const { key } = this.#table;
    const isNobody = call.row === NO_PROVIDER;
    key[0] = call.client0;
    key[1] = call.client1;
    key[2] = call.client2;
    key[3] = call.client3;
    key[PROVIDER] = call.row;
    key[SERVER] = isNobody ? call.server0 : 0;
    key[SERVER + 1] = isNobody ? call.server1 : 0;
    key[SERVER + 2] = isNobody ? call.server2 : 0;
    key[SERVER + 3] = isNobody ? call.server3 : 0;
    key[PORT] = isNobody ? call.serverPort : 0;
  }

  #noteStart(at: number, startMs: number, isFirst: boolean): void {
    const { rows } = this.#table;
    const start = Math.trunc(startMs) | 0;
    // Times wrap every 25 days, differences do not. Calls side by side end in another order than they begin.
    const interval = (start - i32(rows, at + LAST_START)) | 0;
    if (!isFirst && interval < TOGETHER_MS) return;
    const starts = i32(rows, at + STARTS);
    if (!isFirst) rows[at + FIRST_INTERVAL + ((starts - 1) % INTERVALS)] = interval;
    rows[at + STARTS] = starts + 1;
    rows[at + LAST_START] = start;
  }

  #describe(slot: number): AiCallRow {
    const table = this.#table;
    const value = (column: number): number => table.value(slot, column);
    const row = table.keyWord(slot, PROVIDER);
    const kept = Math.min(INTERVALS, value(STARTS) - 1);
    return {
      client: table.address(slot),
      provider: row === NO_PROVIDER ? NO_PROVIDER_LABEL : this.#names.provider(row),
      category: row === NO_PROVIDER ? NO_PROVIDER_LABEL : this.#names.category(row),
      server: formatAddress(
        value(LAST_SERVER),
        value(LAST_SERVER + 1),
        value(LAST_SERVER + 2),
        value(LAST_SERVER + 3),
      ),
      port: value(LAST_PORT),
      host: this.#hosts[slot] ?? "",
      protocol: PROTOCOLS[value(TRANSPORT)] ?? "tls",
      family: this.#families[slot] ?? "",
      calls: value(CALLS),
      streams: value(STREAMS),
      upBytes: value(UP),
      downBytes: value(DOWN),
      largestUpBytes: value(LARGEST_UP),
      intervalsMs: Array.from({ length: kept }, (_, at) => value(FIRST_INTERVAL + at)),
    };
  }
}

/** Calls to AI providers, to models in clear text, and token streams from anyone else. */
export const aiCalls: TrackerDefinition<"ai_calls"> = {
  name: "ai_calls",
  help: "each client's calls to AI providers, and to others that answer in clear text or in token streams as models do",
  capacity: CAPACITY,
  calls: true,
  rows: {
    limit: ROW_LIMIT,
    key: ({ client, provider, category, server, port }) =>
      provider === NO_PROVIDER_LABEL
        ? `${client} ${server} ${port}`
        : `${client} ${provider} ${category}`,
    weight: (row) => row.calls,
    merge: (earlier, later) => ({
      ...later,
      ...addFields(earlier, later, ["calls", "streams", "upBytes", "downBytes"]),
      ...greaterFields(earlier, later, ["largestUpBytes"]),
    }),
  },
  create: (context) => new AiCallRows(context),
};
