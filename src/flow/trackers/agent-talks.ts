// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../../decode/packet.ts";
import { formatAddress } from "../../util/address.ts";
import { PAIR_WORDS, setPair } from "../pair-key.ts";
import { addFields } from "../row-merge.ts";
import { EntityTable } from "../sketch/entity-table.ts";
import type { Tracker, TrackerContext, TrackerDefinition } from "../tracker.ts";

/** What one client did in one window at one service of agents or of a language model, in clear text. */
export interface AgentTalkRow {
  readonly client: string;
  readonly server: string;
  readonly port: number;
  /** Value of the `protocol` label of nam_agent_protocol_messages_total. */
  readonly protocol: string;
  readonly messages: number;
  /** Calls that the server granted. */
  readonly calls: number;
  /** Messages that are errors. */
  readonly errors: number;
  /** Requests whose headers say something else than their body. */
  readonly mismatches: number;
  /** Requests for a service that succeeded without anything like a password, and with. */
  readonly open: number;
  readonly granted: number;
  /** Requests refused with 401 or 403. */
  readonly denied: number;
  /** Requests that succeeded and whose host was an address. */
  readonly toAddress: number;
}

declare module "../window.ts" {
  interface TrackerRows {
    readonly agent_talks: readonly AgentTalkRow[];
  }
}

const CAPACITY = 2048;
const ROW_LIMIT = 256;
const COUNTS = [
  ...(["messages", "calls", "errors", "mismatches"] as const),
  ...(["open", "granted", "denied", "toAddress"] as const),
] as const;
const PORT = PAIR_WORDS;
const PROTOCOL = PAIR_WORDS + 1;
const KEY_WORDS = PAIR_WORDS + 2;
/** Values of the `protocol` label in the order in which the decoder numbers them. */
const PROTOCOLS = [
  ...["mcp_legacy", "mcp_stream", "mcp_2026", "a2a", "acp"],
  ...["openai_rest", "anthropic_rest", "ollama"],
];

type Facts = { readonly [Name in (typeof COUNTS)[number]]: number } & {
  readonly packet: number;
  readonly isFromServer: boolean;
  readonly protocol: number;
};

class AgentTalks implements Tracker<AgentTalkRow> {
  readonly #table: EntityTable;

  constructor({ hashSeed, evicted }: TrackerContext) {
    this.#table = new EntityTable({
      ...{ capacity: CAPACITY, hashSeed, evicted },
      ...{ keyWords: KEY_WORDS, windowWords: COUNTS.length },
    });
  }

  onPacket(packet: Packet, timeMs: number): void {
    const { agents } = packet.facts as { readonly agents?: Facts };
    if (agents === undefined || !hasTalk(agents)) return;
    const table = this.#table;
    const { isFromServer } = agents;
    setPair(table.key, packet, isFromServer);
    table.key[PORT] = isFromServer ? packet.sourcePort : packet.destinationPort;
    table.key[PROTOCOL] = agents.protocol;
    const slot = table.claim(timeMs);
    for (let column = 0; column < COUNTS.length; column++) {
      table.add(slot, column, agents[COUNTS[column] as (typeof COUNTS)[number]]);
    }
    table.weigh(slot, 1);
  }

  close(): AgentTalkRow[] {
    const table = this.#table;
    const rows = table
      .best(ROW_LIMIT, (slot) => weigh((column) => table.value(slot, column)))
      .map((slot) => this.#describe(slot));
    table.clear();
    return rows;
  }

  size(): number {
    return this.#table.size;
  }

  #describe(slot: number): AgentTalkRow {
    const table = this.#table;
    const word = (index: number): number => table.keyWord(slot, index);
    return {
      client: table.address(slot),
      server: formatAddress(word(4), word(5), word(6), word(7)),
      port: word(PORT),
      protocol: PROTOCOLS[word(PROTOCOL)] ?? "",
      ...table.named(slot, COUNTS),
    };
  }
}

/** False where the packet tells of a metadata service only. */
function hasTalk({ messages, open, granted, denied, toAddress, mismatches }: Facts): boolean {
  return messages + open + granted + denied + toAddress + mismatches > 0;
}

/** Who got what without a password comes first. */
function weigh(value: (column: number) => number): number {
  const telling = value(COUNTS.indexOf("open")) + value(COUNTS.indexOf("mismatches"));
  return telling * 65_536 + Math.min(value(0), 65_534) + 1;
}

/** Who talks to which agents and language models in clear text, and whether these ask who it is. */
export const agentTalks: TrackerDefinition<"agent_talks"> = {
  name: "agent_talks",
  help: "talks with agents and language models in clear text",
  capacity: CAPACITY,
  agents: true,
  rows: {
    limit: ROW_LIMIT,
    key: (row) => `${row.client} ${row.server} ${row.port} ${row.protocol}`,
    weight: (row) => weigh((column) => row[COUNTS[column] as (typeof COUNTS)[number]]),
    merge: (earlier, later) => ({ ...later, ...addFields(earlier, later, COUNTS) }),
  },
  create: (context) => new AgentTalks(context),
};
