// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../../metrics/metric.ts";
import { i32 } from "../../util/typed.ts";
import { type AiCall, NO_PROVIDER, PLAIN_TRANSPORT } from "../ai/ai-call.ts";
import type { Names } from "../ai/names.ts";
import {
  addStep,
  firstStart,
  isRising,
  SPAN_MS,
  STAIRCASE_WORDS,
  streamsOf,
} from "../ai/staircase.ts";
import { EntityTable } from "../sketch/entity-table.ts";
import type { Tracker, TrackerContext, TrackerDefinition } from "../tracker.ts";

/** What a client's calls to language models say about it: a person at a chat, or a program that works on its own. */
export interface AiAgentRow {
  readonly client: string;
  /** True while it has a loop, or made three calls within ten minutes to what programs call: an agent is at work. */
  readonly isActive: boolean;
  /** True while its calls grow from one to the next, as those of an agent do that sends its whole history each time. */
  readonly hasLoop: boolean;
  /** Calls that ended in the window, and when the last reply of these did: milliseconds of flow time, 0 without one. */
  readonly calls: number;
  readonly repliedMs: number;
}

declare module "../window.ts" {
  interface TrackerRows {
    /** One row for every client with calls in the window, and in every window for each that is active. */
    readonly ai_agents: readonly AiAgentRow[];
  }
}

const CAPACITY = 4096;
const ROW_LIMIT = 512;
const IDLE_MS = SPAN_MS;
/** What programs call, and people do not. */
const PROGRAMMATIC: ReadonlySet<string> = new Set(["llm_api", "gateway", "coding_agent"]);
const CALLS_OF_AN_AGENT = 3;
/** Token streams, or calls in clear text, that make a server without a known name a model's. */
const STREAMS_MIN = 3;

/** Words of a client's row: calls of the window, the end of the last reply; times of its last programmatic calls; until when a loop lasts. */
const CALLS = 0;
const REPLIED = 1;
const WINDOW_WORDS = 2;
const LAST_CALLS = WINDOW_WORDS;
const MADE = LAST_CALLS + CALLS_OF_AN_AGENT;
const HAS_LOOPED = MADE + 1;
const LOOP_UNTIL = HAS_LOOPED + 1;
const CLIENT_WORDS = LOOP_UNTIL + 1 - WINDOW_WORDS;
/** Words of a staircase's key behind the client's: the provider, or the server and its port. */
const TARGET = 4;
const TARGET_WORDS = 6;

const agentLoops: MetricDefinition = {
  name: "nam_ai_agent_loops_active",
  help: "Hosts whose last calls to one AI provider, or to one server that is called in clear text or answers in token streams, grow as those of an agent's loop do, within 10 minutes.",
  type: "gauge",
};

class AiAgents implements Tracker<AiAgentRow> {
  readonly #clients: EntityTable;
  readonly #staircases: EntityTable;
  readonly #names: Names;
  readonly #levels: Float64Array;
  readonly #loopsAt: number = 0;

  constructor({ hashSeed, evicted, names, levels, levelBase }: TrackerContext) {
    const table = { capacity: CAPACITY, idleMs: IDLE_MS, hashSeed, evicted };
    this.#names = names;
    this.#levels = levels;
    this.#loopsAt = levelBase(agentLoops);
    this.#clients = new EntityTable({
      ...table,
      ...{ keyWords: 4, windowWords: WINDOW_WORDS, lifeWords: CLIENT_WORDS },
    });
    this.#staircases = new EntityTable({
      ...table,
      ...{ keyWords: TARGET + TARGET_WORDS, windowWords: 0, lifeWords: STAIRCASE_WORDS },
    });
  }

  onCall(call: AiCall): void {
    const clients = this.#clients;
    setClient(clients.key, call);
    const slot = clients.claim(call.endMs);
    clients.weigh(slot, 1);
    clients.increment(slot, CALLS);
    const at = clients.row(slot);
    this.#noteReply(at, call.endMs, clients.value(slot, CALLS) === 1);
    if (isPlain(call) || PROGRAMMATIC.has(this.#names.category(call.row)))
      this.#noteCall(at, call.startMs);
    const loopStart = this.#climb(call);
    if (loopStart === undefined) return;
    clients.rows[at + HAS_LOOPED] = 1;
    clients.rows[at + LOOP_UNTIL] = loopStart + SPAN_MS;
  }

  close(timeMs: number): AiAgentRow[] {
    const clients = this.#clients;
    const rows: AiAgentRow[] = [];
    const called = new Set(clients.best(CAPACITY, (slot) => clients.value(slot, CALLS)));
    for (let slot = 0; clients.size > 0 && slot < CAPACITY; slot++) {
      if (!clients.isHeld(slot)) continue;
      const calls = called.has(slot) ? clients.value(slot, CALLS) : 0;
      const hasLoop = this.#hasLoop(slot, timeMs);
      const isActive = hasLoop || this.#isBusy(slot, timeMs);
      if (calls === 0 && !isActive) continue;
      // Times wrap every 25 days, differences do not.
      const age = (Math.trunc(timeMs) - clients.value(slot, REPLIED)) | 0;
      const repliedMs = calls > 0 ? timeMs - age : 0;
      rows.push({ client: clients.address(slot), isActive, hasLoop, calls, repliedMs });
    }
    clients.endWindow(timeMs);
    this.#staircases.endWindow(timeMs);
    this.#levels[this.#loopsAt] = rows.filter(({ hasLoop }) => hasLoop).length;
    if (rows.length > ROW_LIMIT) rows.sort((a, b) => weightOf(b) - weightOf(a));
    return rows.slice(0, ROW_LIMIT);
  }

  size(): number {
    return this.#clients.size;
  }

  #noteReply(at: number, endMs: number, isFirst: boolean): void {
    const { rows } = this.#clients;
    const end = Math.trunc(endMs) | 0;
    if (isFirst || ((end - i32(rows, at + REPLIED)) | 0) > 0) rows[at + REPLIED] = end;
  }

  #noteCall(at: number, startMs: number): void {
    const { rows } = this.#clients;
    const made = i32(rows, at + MADE);
    rows[at + LAST_CALLS + (made % CALLS_OF_AN_AGENT)] = Math.trunc(startMs) | 0;
    rows[at + MADE] = made === 2 * CALLS_OF_AN_AGENT ? CALLS_OF_AN_AGENT + 1 : made + 1;
  }

  /** Adds the call to the staircase of its client and target; returns when that began, undefined unless it is a loop's. */
  #climb(call: AiCall): number | undefined {
    const table = this.#staircases;
    const { key, rows } = table;
    const isNobody = call.row === NO_PROVIDER;
    setClient(key, call);
    key[TARGET] = call.row;
    key[TARGET + 1] = isNobody ? call.server0 : 0;
    key[TARGET + 2] = isNobody ? call.server1 : 0;
    key[TARGET + 3] = isNobody ? call.server2 : 0;
    key[TARGET + 4] = isNobody ? call.server3 : 0;
    key[TARGET + 5] = isNobody ? call.serverPort : 0;
    const slot = table.claim(call.endMs);
    table.weigh(slot, 1);
    const at = table.row(slot);
    addStep(rows, at, call.startMs, call.upBytes, call.isStream || isPlain(call));
    if (isNobody && streamsOf(rows, at) < STREAMS_MIN) return undefined;
    return isRising(rows, at) ? firstStart(rows, at) : undefined;
  }

  #hasLoop(slot: number, timeMs: number): boolean {
    const clients = this.#clients;
    if (clients.value(slot, HAS_LOOPED) === 0) return false;
    return ((clients.value(slot, LOOP_UNTIL) - Math.trunc(timeMs)) | 0) >= 0;
  }

  /** True where all of the last programmatic calls are recent. */
  #isBusy(slot: number, timeMs: number): boolean {
    const clients = this.#clients;
    if (clients.value(slot, MADE) < CALLS_OF_AN_AGENT) return false;
    for (let call = 0; call < CALLS_OF_AN_AGENT; call++) {
      const age = (Math.trunc(timeMs) - clients.value(slot, LAST_CALLS + call)) | 0;
      if (age > SPAN_MS) return false;
    }
    return true;
  }
}

/** In clear text the reply has shown that a model was called. */
function isPlain({ transport }: AiCall): boolean {
  return transport === PLAIN_TRANSPORT;
}

function setClient(key: Int32Array, call: AiCall): void {
  key[0] = call.client0;
  key[1] = call.client1;
  key[2] = call.client2;
  key[3] = call.client3;
}

function weightOf({ hasLoop, isActive, calls }: AiAgentRow): number {
  return Number(hasLoop) + Number(isActive) + calls / (1 + calls);
}

/** Who runs agents: clients whose calls to language models follow each other as those of programs do. */
export const aiAgents: TrackerDefinition<"ai_agents"> = {
  name: "ai_agents",
  help: "clients whose calls to language models are an agent's",
  capacity: CAPACITY,
  calls: true,
  levels: [agentLoops],
  rows: {
    limit: ROW_LIMIT,
    key: (row) => row.client,
    weight: weightOf,
    merge: (earlier, later) => ({
      client: later.client,
      isActive: earlier.isActive || later.isActive,
      hasLoop: earlier.hasLoop || later.hasLoop,
      calls: earlier.calls + later.calls,
      repliedMs: Math.max(earlier.repliedMs, later.repliedMs),
    }),
  },
  create: (context) => new AiAgents(context),
};
