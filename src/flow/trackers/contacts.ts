// SPDX-License-Identifier: AGPL-3.0-or-later
import { formatAddress } from "../../util/address.ts";
import { f64, i32 } from "../../util/typed.ts";
import { hashAddress, hashKey, mix } from "../hash.ts";
import { EntityTable } from "../sketch/entity-table.ts";
import { FirstContacts } from "../sketch/first-contacts.ts";
import { estimateDistinct, mergeDistinct, observeDistinct } from "../sketch/hyperloglog.ts";
import { candidateWord, MAJORITY_WORDS, vote } from "../sketch/majority.ts";
import {
  FlowEvent,
  type FlowKey,
  type RowRules,
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
  /** Packet time of the source's first and last contact or outcome, milliseconds since 1970. */
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
const Column = {
  CONTACTS: 0,
  SUCCESSES: 1,
  REFUSED: 2,
  UNANSWERED: 3,
  ABORTED: 4,
  DESTINATION: 5,
  PORT: 5 + MAJORITY_WORDS,
} as const;
const WINDOW_WORDS = 5 + 2 * MAJORITY_WORDS;
/** Second in which the sketches were last turned. */
const TURNED = WINDOW_WORDS;

const PRECISION = 7;
const SKETCH = 1 << PRECISION;
/** Bytes of an entity: destinations and ports of this span, then those of the span before. */
const Sketch = { DESTINATIONS: 0, PORTS: SKETCH, BEFORE: 2 * SKETCH, ALL: 4 * SKETCH } as const;

/** A failure is worth more than a contact when there is room for one source only. */
const CONTACT_WEIGHT = 1;
const FAILURE_WEIGHT = 8;

class Contacts implements Tracker<ContactRow> {
  readonly #first: FirstContacts;
  readonly #table: EntityTable;
  readonly #key: number = 0;
  readonly #union = new Uint8Array(SKETCH);

  constructor(context: TrackerContext) {
    this.#first = new FirstContacts(REMEMBERED_CONTACTS, MEMORY_MS, context.hashSeed);
    this.#key = hashKey(context.hashSeed, 6);
    this.#table = new EntityTable({
      capacity: CAPACITY,
      keyWords: 5,
      windowWords: WINDOW_WORDS,
      lifeWords: 1,
      sketchBytes: Sketch.ALL,
      idleMs: IDLE_MS,
      hashSeed: context.hashSeed,
      evicted: context.evicted,
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
        this.#settle(flow, Column.SUCCESSES, CONTACT_WEIGHT);
        return;
      case FlowEvent.REFUSED:
        this.#settle(flow, Column.REFUSED, FAILURE_WEIGHT);
        return;
      case FlowEvent.UNANSWERED:
        this.#settle(flow, Column.UNANSWERED, FAILURE_WEIGHT);
        return;
      case FlowEvent.ABORTED:
        this.#settle(flow, Column.ABORTED, CONTACT_WEIGHT);
    }
  }

  close(timeMs: number): ContactRow[] {
    const { rows } = this.#table;
    const failures = (slot: number): number => {
      const at = this.#table.row(slot);
      return i32(rows, at + Column.REFUSED) + i32(rows, at + Column.UNANSWERED);
    };
    const found = this.#table
      .best(ROW_LIMIT, (slot) => weigh(failures(slot), i32(rows, this.#table.row(slot))))
      .map((slot) => this.#describe(slot, failures(slot)));
    this.#table.endWindow(timeMs);
    return found;
  }

  size(): number {
    return this.#table.size;
  }

  #begin(flow: FlowKey): void {
    if (!this.#first.begin(flow)) return;
    const slot = this.#count(flow, Column.CONTACTS, CONTACT_WEIGHT);
    const at = this.#turnedSketches(slot, flow.timeMs);
    const { sketches } = this.#table;
    const { server0, server1, server2, server3 } = flow;
    const destination = hashAddress(server0, server1, server2, server3, this.#key);
    observeDistinct(sketches, at + Sketch.DESTINATIONS, PRECISION, destination);
    observeDistinct(sketches, at + Sketch.PORTS, PRECISION, mix(flow.serverPort, this.#key));
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
    const { rows } = table;
    const at = table.row(slot);
    rows[at + column] = i32(rows, at + column) + 1;
    const { server0, server1, server2, server3 } = flow;
    vote(rows, at + Column.DESTINATION, server0, server1, server2, server3);
    vote(rows, at + Column.PORT, 0, 0, 0, flow.serverPort);
    table.weigh(slot, weight);
    return slot;
  }

  /** Offset of the source's sketches, after old ones have made way for new. */
  #turnedSketches(slot: number, timeMs: number): number {
    const { rows, sketches, isNew } = this.#table;
    const at = this.#table.sketch(slot);
    const turnedAt = this.#table.row(slot) + TURNED;
    const second = Math.trunc(timeMs / 1000) | 0;
    if (!isNew && ((second - i32(rows, turnedAt)) | 0) * 1000 < MEMORY_MS) return at;
    if (!isNew) {
      sketches.copyWithin(at + Sketch.BEFORE, at, at + Sketch.BEFORE);
      sketches.fill(0, at, at + Sketch.BEFORE);
    }
    rows[turnedAt] = second;
    return at;
  }

  #distinct(slot: number, sketch: number): number {
    const at = this.#table.sketch(slot) + sketch;
    const { sketches } = this.#table;
    this.#union.set(sketches.subarray(at, at + SKETCH));
    mergeDistinct(this.#union, sketches.subarray(at + Sketch.BEFORE, at + Sketch.BEFORE + SKETCH));
    return Math.round(estimateDistinct(this.#union, 0, PRECISION));
  }

  #describe(slot: number, failures: number): ContactRow {
    const table = this.#table;
    const { rows } = table;
    const at = table.row(slot);
    const word = (index: number): number => table.keyWord(slot, index);
    const top = (index: number): number => candidateWord(rows, at + Column.DESTINATION, index);
    return {
      source: formatAddress(word(0), word(1), word(2), word(3)),
      protocol: word(4) === TCP ? "tcp" : "udp",
      contacts: i32(rows, at + Column.CONTACTS),
      successes: i32(rows, at + Column.SUCCESSES),
      failures,
      refused: i32(rows, at + Column.REFUSED),
      unanswered: i32(rows, at + Column.UNANSWERED),
      aborted: i32(rows, at + Column.ABORTED),
      destinations: this.#distinct(slot, Sketch.DESTINATIONS),
      ports: this.#distinct(slot, Sketch.PORTS),
      topDestination: formatAddress(top(0), top(1), top(2), top(3)),
      topPort: candidateWord(rows, at + Column.PORT, 3),
      firstMs: f64(table.firstMs, slot),
      lastMs: f64(table.lastMs, slot),
    };
  }
}

/** Order of rows: most failures first, then most contacts. */
function weigh(failures: number, contacts: number): number {
  return failures * 65_536 + Math.min(contacts, 65_534) + 1;
}

const rules: RowRules<ContactRow> = {
  limit: ROW_LIMIT,
  key: (row) => `${row.source} ${row.protocol}`,
  weight: (row) => weigh(row.failures, row.contacts),
  merge(earlier, later) {
    const most = later.contacts > earlier.contacts ? later : earlier;
    return {
      ...most,
      contacts: earlier.contacts + later.contacts,
      successes: earlier.successes + later.successes,
      failures: earlier.failures + later.failures,
      refused: earlier.refused + later.refused,
      unanswered: earlier.unanswered + later.unanswered,
      aborted: earlier.aborted + later.aborted,
      destinations: Math.max(earlier.destinations, later.destinations),
      ports: Math.max(earlier.ports, later.ports),
      firstMs: Math.min(earlier.firstMs, later.firstMs),
      lastMs: Math.max(earlier.lastMs, later.lastMs),
    };
  },
};

/** First contacts of each source and what they came to: evidence of scans and sweeps. */
export const contacts: TrackerDefinition<"contacts"> = {
  name: "contacts",
  help: "First contacts of each source, and what they came to",
  capacity: CAPACITY,
  events: [
    FlowEvent.STARTED,
    FlowEvent.SYN,
    FlowEvent.ESTABLISHED,
    FlowEvent.REFUSED,
    FlowEvent.ABORTED,
    FlowEvent.UNANSWERED,
  ],
  rows: rules,
  create: (context) => new Contacts(context),
};
