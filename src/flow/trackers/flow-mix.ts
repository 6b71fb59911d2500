// SPDX-License-Identifier: AGPL-3.0-or-later
import { u32 } from "../../util/typed.ts";
import { hashAddress, hashKey, mix } from "../hash.ts";
import {
  candidateAddress,
  candidateVotes,
  candidateWord,
  MAJORITY_WORDS,
  vote,
} from "../sketch/majority.ts";
import {
  FlowEvent,
  type FlowKey,
  type Tracker,
  type TrackerContext,
  type TrackerDefinition,
} from "../tracker.ts";

/** The four features whose spread tells floods, scans and crowds apart (Lakhina, Crovella and Diot 2005). */
const MIX_FEATURES = ["sources", "destinations", "source_ports", "ports"] as const;
export type MixFeature = (typeof MIX_FEATURES)[number];

/** How the flows begun in a window spread over the values of one feature. */
export interface FlowMixRow {
  readonly feature: MixFeature;
  readonly flows: number;
  /** Flows by hash bucket of the value; the same value is in the same bucket in every window and of every sensor. */
  readonly buckets: Uint32Array;
  /** The value of most flows, or one of many, and how many flows it had at least. */
  readonly top: string;
  readonly topFlows: number;
}

declare module "../window.ts" {
  interface TrackerRows {
    readonly flow_mix: readonly FlowMixRow[];
  }
}

/** Buckets of a feature: all four lie in 8 KiB, which a flood of new values does not push out of the cache. */
const MIX_BUCKETS = 512;
const BUCKET_MASK = MIX_BUCKETS - 1;
const CAPACITY = MIX_FEATURES.length * MIX_BUCKETS;
const [SOURCES, DESTINATIONS, SOURCE_PORTS, PORTS] = [0, 1, 2, 3];

class FlowMix implements Tracker<FlowMixRow> {
  readonly #buckets = new Uint32Array(CAPACITY);
  readonly #votes = new Int32Array(MIX_FEATURES.length * MAJORITY_WORDS);
  readonly #key: number = 0;
  #flows = 0;
  /** Buckets above 0. */
  #used = 0;

  constructor({ hashSeed }: TrackerContext) {
    this.#key = hashKey(hashSeed, "flow mix");
  }

  onFlow(_event: number, flow: FlowKey): void {
    const key = this.#key;
    const { client0, client1, client2, client3, server0, server1, server2, server3 } = flow;
    this.#flows++;
    this.#add(SOURCES, hashAddress(client0, client1, client2, client3, key));
    this.#add(DESTINATIONS, hashAddress(server0, server1, server2, server3, key));
    this.#add(SOURCE_PORTS, mix(flow.clientPort, key));
    this.#add(PORTS, mix(flow.serverPort, key));
    vote(this.#votes, SOURCES * MAJORITY_WORDS, client0, client1, client2, client3);
    vote(this.#votes, DESTINATIONS * MAJORITY_WORDS, server0, server1, server2, server3);
    vote(this.#votes, SOURCE_PORTS * MAJORITY_WORDS, 0, 0, 0, flow.clientPort);
    vote(this.#votes, PORTS * MAJORITY_WORDS, 0, 0, 0, flow.serverPort);
  }

  close(): FlowMixRow[] {
    if (this.#flows === 0) return [];
    const rows = MIX_FEATURES.map((feature, index) => this.#describe(feature, index));
    this.#buckets.fill(0);
    this.#votes.fill(0);
    this.#flows = 0;
    this.#used = 0;
    return rows;
  }

  size(): number {
    return this.#used;
  }

  #add(feature: number, hash: number): void {
    const at = feature * MIX_BUCKETS + (hash & BUCKET_MASK);
    const flows = u32(this.#buckets, at);
    if (flows === 0) this.#used++;
    this.#buckets[at] = flows + 1;
  }

  #describe(feature: MixFeature, index: number): FlowMixRow {
    const at = index * MAJORITY_WORDS;
    return {
      feature,
      flows: this.#flows,
      buckets: this.#buckets.slice(index * MIX_BUCKETS, (index + 1) * MIX_BUCKETS),
      top:
        index < SOURCE_PORTS
          ? candidateAddress(this.#votes, at)
          : String(candidateWord(this.#votes, at)),
      topFlows: candidateVotes(this.#votes, at),
    };
  }
}

/** How new flows spread over addresses and ports: input of entropies. */
export const flowMix: TrackerDefinition<"flow_mix"> = {
  name: "flow_mix",
  help: "how new flows spread over addresses and ports",
  capacity: CAPACITY,
  shared: true,
  events: [FlowEvent.STARTED],
  rows: {
    limit: MIX_FEATURES.length,
    key: (row) => row.feature,
    weight: (row) => row.flows,
    merge: (earlier, later) => ({
      ...(later.topFlows > earlier.topFlows ? later : earlier),
      flows: earlier.flows + later.flows,
      buckets: earlier.buckets.map((flows, at) => flows + (later.buckets[at] ?? 0)),
    }),
  },
  create: (context) => new FlowMix(context),
};
