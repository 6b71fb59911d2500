// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../../decode/packet.ts";
import { contradicts, isBrowser } from "../../util/client-family.ts";
import { add, i32 } from "../../util/typed.ts";
import { ActiveSources } from "../ai/active-sources.ts";
import { EVIDENCE, Evidence } from "../ai/flow-names.ts";
import { FollowedFlows } from "../ai/followed-flows.ts";
import {
  aiActiveSources,
  aiBytes,
  aiEvictions,
  aiFlows,
  aiSourcesSaturated,
  byteCells,
  flowCells,
} from "../ai/metrics.ts";
import type { Names } from "../ai/names.ts";
import { AI_PAIRS, CATEGORIES } from "../ai/pairs.ts";
import type { FlowRows } from "../flow-rows.ts";
import { addFields } from "../row-merge.ts";
import { EntityTable } from "../sketch/entity-table.ts";
import {
  emptyFlowKey,
  type FlowKey,
  type Tracker,
  type TrackerContext,
  type TrackerDefinition,
} from "../tracker.ts";

/** What one client had to do with one AI provider in this window, with one family of TLS client. */
export interface AiFlowRow {
  readonly client: string;
  /** Of the built-in table, or the operator's own. */
  readonly provider: string;
  readonly category: string;
  /** Client family by JA4, as in the `family` label; empty without TLS. */
  readonly family: string;
  /** Flows begun, and flows in which the handshake completed and the server answered with a kilobyte. */
  readonly flows: number;
  readonly completed: number;
  /** Bytes on the wire. */
  readonly upBytes: number;
  readonly downBytes: number;
  /**
   * Flows among `completed` whose CONNECT had a User-Agent that contradicts the family of the hello (client-family.ts); and the family that one of them named, empty without.
   */
  readonly contradicted: number;
  readonly claimed: string;
  /** True where the client greeted hosts that are no AI's as a browser does, within the last day. */
  readonly browses: boolean;
}

declare module "../window.ts" {
  interface TrackerRows {
    readonly ai_flows: readonly AiFlowRow[];
  }
}

const CAPACITY = 4096;
const ROW_LIMIT = 512;
const IDLE_MS = 3_600_000;
const DAY_MS = 24 * 3_600_000;
const NO_PAIR = AI_PAIRS.length;
const TLS = "tls";
/** First byte of a TLS record that only a connection has that greeted before (RFC 8446 §5.1). */
const APPLICATION_DATA = 23;

const ROW = 4;
const FAMILY = 5;
const KEY_WORDS = 6;
const FLOWS = 0;
const COMPLETED = 1;
const UP = 2;
const DOWN = 3;
const CONTRADICTED = 4;
const CLAIMED = 5;
const WINDOW_WORDS = 6;
const PAIR_CATEGORIES = Int32Array.from(AI_PAIRS, ({ category }) => CATEGORIES.indexOf(category));

class AiFlows implements Tracker<AiFlowRow> {
  readonly #names: Names;
  readonly #rows: FlowRows;
  readonly #counters: Float64Array;
  readonly #gauges: Float64Array;
  readonly #flowsAt: number = 0;
  readonly #bytesAt: number = 0;
  readonly #evictionsAt: number = 0;
  readonly #sourcesAt: number = 0;
  readonly #saturatedAt: number = 0;
  readonly #flowCells = flowCells();
  readonly #byteCells = byteCells();
  readonly #tls: number = 0;
  readonly #followed: FollowedFlows;
  readonly #sources: ActiveSources;
  readonly #table: EntityTable;
  /** Clients that browse. */
  readonly #browsers: EntityTable;
  readonly #flow: FlowKey = emptyFlowKey();
  #timeMs = 0;

  constructor(context: TrackerContext) {
    const { hashSeed, evicted, base, levelBase, names, flowRows } = context;
    this.#names = names;
    this.#rows = flowRows;
    this.#counters = context.counters;
    this.#gauges = context.levels;
    this.#flowsAt = base(aiFlows);
    this.#bytesAt = base(aiBytes);
    this.#evictionsAt = base(aiEvictions);
    this.#sourcesAt = levelBase(aiActiveSources);
    this.#saturatedAt = levelBase(aiSourcesSaturated);
    this.#tls = context.applicationNames.indexOf(TLS);
    this.#sources = new ActiveSources(hashSeed);
    this.#followed = new FollowedFlows(
      flowRows,
      names,
      (slot) => names.row(slot) >= 0,
      (slot, up, down, isCompleted) => this.#carried(slot, up, down, isCompleted),
    );
    const bounds = { capacity: CAPACITY, hashSeed, evicted };
    this.#table = new EntityTable({
      ...{ ...bounds, idleMs: IDLE_MS, keyWords: KEY_WORDS, windowWords: WINDOW_WORDS },
    });
    this.#browsers = new EntityTable({ ...bounds, idleMs: DAY_MS, keyWords: 4, windowWords: 0 });
  }

  onNamed(packet: Packet, timeMs: number): void {
    const { flow } = packet;
    const names = this.#names;
    const row = names.row(flow);
    // A flow that a CONNECT did not name is one more when the hello inside does.
    if (names.isFirst || (names.isRenamed && row >= 0)) this.#count(row, names.evidence(flow));
    this.#timeMs = timeMs;
    if (row < 0) {
      if (isBrowser(names.family(flow))) this.#browse(packet);
      return;
    }
    if (!this.#followed.follow(flow, names.isFirst)) this.#evicted();
    if (names.isFirst || names.isRenamed) this.#table.increment(this.#claim(flow), FLOWS);
  }

  onAnswered(packet: Packet): void {
    this.#followed.answered(packet);
  }

  /** A connection that was met in the middle has no name, and gets none. */
  onRecognised(packet: Packet): void {
    if (packet.application !== this.#tls || this.#names.isKnown(packet.flow)) return;
    if (packet.view.getUint8(packet.payloadAt) === APPLICATION_DATA) this.#count(-1, Evidence.NONE);
  }

  settle(timeMs: number): void {
    this.#timeMs = timeMs;
    this.#followed.sweep();
  }

  close(timeMs: number): AiFlowRow[] {
    const table = this.#table;
    const found = table
      .best(ROW_LIMIT, (slot) => table.value(slot, UP) + table.value(slot, FLOWS))
      .map((slot) => this.#describe(slot));
    table.endWindow(timeMs);
    this.#browsers.endWindow(timeMs);
    this.#sources.count(this.#gauges, this.#sourcesAt, timeMs);
    this.#gauges[this.#saturatedAt] = this.#sources.isSaturated ? 1 : 0;
    return found;
  }

  size(): number {
    return this.#table.size;
  }

  #count(row: number, evidence: number): void {
    const pair = row < 0 ? NO_PAIR : this.#names.pair(row);
    const cell = i32(this.#flowCells, pair * EVIDENCE.length + evidence);
    add(this.#counters, this.#flowsAt + cell, 1);
  }

  #evicted(): void {
    add(this.#counters, this.#evictionsAt + 1, 1);
  }

  #carried(slot: number, up: number, down: number, isCompleted: boolean): void {
    const pair = this.#names.pair(this.#names.row(slot));
    const cell = this.#bytesAt + i32(this.#byteCells, pair);
    add(this.#counters, cell, up);
    add(this.#counters, cell + 1, down);
    const table = this.#table;
    const entity = this.#claim(slot);
    table.add(entity, UP, up);
    table.add(entity, DOWN, down);
    if (isCompleted) this.#complete(slot, entity);
  }

  #complete(slot: number, entity: number): void {
    const table = this.#table;
    const names = this.#names;
    table.increment(entity, COMPLETED);
    const claimed = names.claimedFamilyNumber(slot);
    if (!contradicts(names.family(slot), names.familyName(claimed))) return;
    table.increment(entity, CONTRADICTED);
    table.rows[table.row(entity) + CLAIMED] = claimed;
  }

  /** Entity of the flow's client, provider and family; the client is an active source now. */
  #claim(slot: number): number {
    const names = this.#names;
    const flow = this.#flow;
    const { key } = this.#table;
    this.#rows.readKey(slot, flow);
    const isTurned = names.clientSide(slot) === 1;
    key[0] = isTurned ? flow.server0 : flow.client0;
    key[1] = isTurned ? flow.server1 : flow.client1;
    key[2] = isTurned ? flow.server2 : flow.client2;
    key[3] = isTurned ? flow.server3 : flow.client3;
    const row = names.row(slot);
    key[ROW] = row;
    key[FAMILY] = names.familyNumber(slot);
    const category = i32(PAIR_CATEGORIES, names.pair(row));
    this.#sources.note(i32(key, 0), i32(key, 1), i32(key, 2), i32(key, 3), category, this.#timeMs);
    const entity = this.#table.claim(this.#timeMs);
    this.#table.weigh(entity, 1);
    return entity;
  }

  #browse({ source0, source1, source2, source3 }: Packet): void {
    const { key } = this.#browsers;
    key[0] = source0;
    key[1] = source1;
    key[2] = source2;
    key[3] = source3;
    this.#browsers.weigh(this.#browsers.claim(this.#timeMs), 1);
  }

  #browses(slot: number): boolean {
    const { key } = this.#browsers;
    for (let word = 0; word < key.length; word++) key[word] = this.#table.keyWord(slot, word);
    return this.#browsers.lookUp() >= 0;
  }

  #describe(slot: number): AiFlowRow {
    const table = this.#table;
    const row = table.keyWord(slot, ROW);
    return {
      client: table.address(slot),
      provider: this.#names.provider(row),
      category: this.#names.category(row),
      family: this.#names.familyName(table.keyWord(slot, FAMILY)),
      flows: table.value(slot, FLOWS),
      completed: table.value(slot, COMPLETED),
      upBytes: table.value(slot, UP),
      downBytes: table.value(slot, DOWN),
      contradicted: table.value(slot, CONTRADICTED),
      claimed: this.#names.familyName(table.value(slot, CLAIMED)),
      browses: this.#browses(slot),
    };
  }
}

/** Which clients use which AI providers, and what flows between them carry. */
export const aiFlowsTracker: TrackerDefinition<"ai_flows"> = {
  name: "ai_flows",
  help: "which clients use which AI providers, and how much",
  capacity: CAPACITY,
  named: true,
  recognised: true,
  rows: {
    limit: ROW_LIMIT,
    key: (row) => `${row.client} ${row.provider} ${row.category} ${row.family}`,
    weight: (row) => row.upBytes + row.flows,
    merge: (earlier, later) => ({
      ...later,
      ...addFields(earlier, later, ["flows", "completed", "upBytes", "downBytes", "contradicted"]),
      claimed: later.claimed === "" ? earlier.claimed : later.claimed,
      browses: earlier.browses || later.browses,
    }),
  },
  metrics: [aiFlows, aiBytes, aiEvictions],
  levels: [aiActiveSources, aiSourcesSaturated],
  create: (context) => new AiFlows(context),
};
