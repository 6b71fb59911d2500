// SPDX-License-Identifier: AGPL-3.0-or-later
import { hashAddress, hashKey, mix } from "../hash.ts";
import { addFields, greaterFields } from "../row-merge.ts";
import { EntityTable } from "../sketch/entity-table.ts";
import {
  estimateFading,
  FADING_BYTES,
  isSpanOver,
  observeFading,
  turnFading,
} from "../sketch/fading-distinct.ts";
import { FirstContacts } from "../sketch/first-contacts.ts";
import { candidateAddress, candidateWord, MAJORITY_WORDS, vote } from "../sketch/majority.ts";
import {
  FlowEvent,
  type FlowKey,
  type Tracker,
  type TrackerContext,
  type TrackerDefinition,
} from "../tracker.ts";

/**
 * What one source's first contacts of a window came to. A contact is a (source, destination, port); only its
 * first attempt counts, so that retries and parallel connections are not evidence.
 */
export interface ContactRow {
  readonly source: string;
  readonly protocol: "tcp" | "udp";
  /** First contacts begun in this window. */
  readonly contacts: number;
  /** Outcomes learned in this window: handshake completed, or a UDP answer. */
  readonly successes: number;
  /** refused + unanswered. */
  readonly failures: number;
  /** RST from the server, or ICMP unreachable. */
  readonly refused: number;
  /** TCP only: silence is no failure for UDP. */
  readonly unanswered: number;
  /** Half-open connections the source reset itself: neither success nor failure. */
  readonly aborted: number;
  /** Estimates of the distinct destinations and ports contacted in the last 15 to 30 minutes. */
  readonly destinations: number;
  readonly ports: number;
  /** The destination and the port that most of this window's contacts were about, or one of many. */
  readonly topDestination: string;
  readonly topPort: number;
  /** First and last contact or outcome of the source, milliseconds on its sensor's own clock. */
  readonly firstMs: number;
  readonly lastMs: number;
}

declare module "../window.ts" {
  interface TrackerRows {
    readonly contacts: readonly ContactRow[];
  }
}

const TCP = 6;
const UDP = 17;
const CAPACITY = 4096;
const ROW_LIMIT = 256;
const REMEMBERED_CONTACTS = 131_072;
/** A contact not tried for so long is a first contact again; two such spans are the life of distinct counts. */
const MEMORY_MS = 15 * 60_000;
/** Threshold random walk keeps a source for half an hour (Jung et al., 2004). */
const IDLE_MS = 30 * 60_000;

/** Words of a row. */
const CONTACTS = 0;
const SUCCESSES = 1;
const REFUSED = 2;
const UNANSWERED = 3;
const ABORTED = 4;
const DESTINATION = 5;
const PORT = DESTINATION + MAJORITY_WORDS;
const WINDOW_WORDS = PORT + MAJORITY_WORDS;
/** Second in which the present span of the distinct counts began. */
const SPAN_START = WINDOW_WORDS;
/** Bytes of an entity. */
const DESTINATIONS = 0;
const PORTS = FADING_BYTES;

/** A failure is worth more than a contact when there is room for one source only. */
const CONTACT_WEIGHT = 1;
const FAILURE_WEIGHT = 8;

class Contacts implements Tracker<ContactRow> {
  readonly #first: FirstContacts;
  readonly #table: EntityTable;
  readonly #key: number = 0;

  constructor({ hashSeed, evicted }: TrackerContext) {
    this.#first = new FirstContacts(REMEMBERED_CONTACTS, MEMORY_MS, hashSeed);
    this.#key = hashKey(hashSeed, "contacts");
    this.#table = new EntityTable({
      ...{ capacity: CAPACITY, idleMs: IDLE_MS, hashSeed, evicted },
      ...{ keyWords: 5, windowWords: WINDOW_WORDS, lifeWords: 1, sketchBytes: 2 * FADING_BYTES },
    });
  }

  onFlow(event: number, flow: FlowKey): void {
    switch (event) {
      case FlowEvent.STARTED:
        // A TCP connection is attempted by its SYN; what is met midway was attempted before.
        if (flow.ipProtocol === UDP) this.#begin(flow);
        return;
      case FlowEvent.SYN:
        this.#begin(flow);
        return;
      case FlowEvent.ESTABLISHED:
        this.#settle(flow, SUCCESSES, CONTACT_WEIGHT);
        return;
      case FlowEvent.REFUSED:
        this.#settle(flow, REFUSED, FAILURE_WEIGHT);
        return;
      case FlowEvent.UNANSWERED:
        this.#settle(flow, UNANSWERED, FAILURE_WEIGHT);
        return;
      case FlowEvent.ABORTED:
        this.#settle(flow, ABORTED, CONTACT_WEIGHT);
    }
  }

  close(timeMs: number): ContactRow[] {
    const table = this.#table;
    const found = table
      .best(ROW_LIMIT, (slot) => weigh(this.#failures(slot), table.value(slot, CONTACTS)))
      .map((slot) => this.#describe(slot));
    table.endWindow(timeMs);
    return found;
  }

  size(): number {
    return this.#table.size;
  }

  #begin(flow: FlowKey): void {
    if (!this.#first.begin(flow)) return;
    const { server0, server1, server2, server3 } = flow;
    const slot = this.#count(flow, CONTACTS, CONTACT_WEIGHT);
    const { sketches } = this.#table;
    const at = this.#sketchesOf(slot, flow.timeMs);
    observeFading(
      sketches,
      at + DESTINATIONS,
      hashAddress(server0, server1, server2, server3, this.#key),
    );
    observeFading(sketches, at + PORTS, mix(flow.serverPort, this.#key));
  }

  #settle(flow: FlowKey, column: number, weight: number): void {
    if (this.#first.settle(flow)) this.#count(flow, column, weight);
  }

  #count(flow: FlowKey, column: number, weight: number): number {
    const table = this.#table;
    table.key[0] = flow.client0;
    table.key[1] = flow.client1;
    table.key[2] = flow.client2;
    table.key[3] = flow.client3;
    table.key[4] = flow.ipProtocol;
    const slot = table.claim(flow.timeMs);
    const at = table.row(slot);
    const { server0, server1, server2, server3, serverPort } = flow;
    vote(table.rows, at + DESTINATION, server0, server1, server2, server3);
    vote(table.rows, at + PORT, 0, 0, 0, serverPort);
    table.increment(slot, column);
    table.weigh(slot, weight);
    return slot;
  }

  /** Where the source's distinct counts are, after their span was turned if it is over. */
  #sketchesOf(slot: number, timeMs: number): number {
    const { rows, sketches, isNew } = this.#table;
    const at = this.#table.sketch(slot);
    const spanAt = this.#table.row(slot) + SPAN_START;
    if (isSpanOver(rows, spanAt, isNew, timeMs, MEMORY_MS)) {
      turnFading(sketches, at + DESTINATIONS);
      turnFading(sketches, at + PORTS);
    }
    return at;
  }

  #failures(slot: number): number {
    return this.#table.value(slot, REFUSED) + this.#table.value(slot, UNANSWERED);
  }

  #describe(slot: number): ContactRow {
    const table = this.#table;
    const at = table.row(slot);
    const sketches = table.sketch(slot);
    return {
      source: table.address(slot),
      protocol: table.keyWord(slot, 4) === TCP ? "tcp" : "udp",
      contacts: table.value(slot, CONTACTS),
      successes: table.value(slot, SUCCESSES),
      failures: this.#failures(slot),
      refused: table.value(slot, REFUSED),
      unanswered: table.value(slot, UNANSWERED),
      aborted: table.value(slot, ABORTED),
      destinations: estimateFading(table.sketches, sketches + DESTINATIONS),
      ports: estimateFading(table.sketches, sketches + PORTS),
      topDestination: candidateAddress(table.rows, at + DESTINATION),
      topPort: candidateWord(table.rows, at + PORT),
      firstMs: table.firstMs(slot),
      lastMs: table.lastMs(slot),
    };
  }
}

/** Order of rows: most failures first, then most contacts. */
function weigh(failures: number, contacts: number): number {
  return failures * 65_536 + Math.min(contacts, 65_534) + 1;
}

const SUMS = ["contacts", "successes", "failures", "refused", "unanswered", "aborted"] as const;

/** First contacts of each source and what they came to: evidence of scans and sweeps. */
export const contacts: TrackerDefinition<"contacts"> = {
  name: "contacts",
  help: "first contacts of each source and what they came to",
  capacity: CAPACITY,
  events: [
    ...[FlowEvent.STARTED, FlowEvent.SYN, FlowEvent.ESTABLISHED],
    ...[FlowEvent.REFUSED, FlowEvent.UNANSWERED, FlowEvent.ABORTED],
  ],
  rows: {
    limit: ROW_LIMIT,
    key: (row) => `${row.source} ${row.protocol}`,
    weight: (row) => weigh(row.failures, row.contacts),
    merge: (earlier, later) => ({
      ...(later.contacts > earlier.contacts ? later : earlier),
      ...addFields(earlier, later, SUMS),
      ...greaterFields(earlier, later, ["destinations", "ports", "lastMs"]),
      firstMs: Math.min(earlier.firstMs, later.firstMs),
    }),
  },
  create: (context) => new Contacts(context),
};
