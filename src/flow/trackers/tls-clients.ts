// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../../decode/packet.ts";
import { formatAddress } from "../../util/address.ts";
import { i32 } from "../../util/typed.ts";
import { hashKey, hashText } from "../hash.ts";
import { PAIR_WORDS, setPair } from "../pair-key.ts";
import { addFields, greaterFields } from "../row-merge.ts";
import { EntityTable } from "../sketch/entity-table.ts";
import {
  estimateFading,
  FADING_BYTES,
  isSpanOver,
  observeFading,
  turnFading,
} from "../sketch/fading-distinct.ts";
import type { Tracker, TrackerContext, TrackerDefinition } from "../tracker.ts";

/** TLS handshakes that one client began with one service over TCP in a window. */
export interface TlsClientRow {
  readonly client: string;
  readonly server: string;
  readonly port: number;
  /** ClientHellos, ServerHellos, and fatal alerts that the server sent in clear text: handshakes it refused. */
  readonly hellos: number;
  readonly answers: number;
  readonly alerts: number;
  /** Estimate of the distinct JA4 of the last 2.5 to 5 minutes: how many different clients it would seem to be. */
  readonly fingerprints: number;
  /** Highest versions that its hellos of the last 2.5 to 5 minutes offered, each once, oldest first. */
  readonly versions: readonly string[];
}

declare module "../window.ts" {
  interface TrackerRows {
    readonly tls_clients: readonly TlsClientRow[];
  }
}

/** Highest versions by bit. */
const VERSIONS = ["ssl2", "ssl3", "1.0", "1.1", "1.2", "1.3"] as const;
const CAPACITY = 512;
const ROW_LIMIT = 64;
const IDLE_MS = 5 * 60_000;
const SPAN_MS = 150_000;
/** Alert record (RFC 5246 §7.2): type, version, length 2, then level and description. */
const ALERT = 21;
const ALERT_LENGTH = 7;
const LENGTH_AT = 3;
const LEVEL_AT = 5;
const FATAL = 2;

const COUNTS = ["hellos", "answers", "alerts"] as const;
const [HELLOS, ANSWERS, ALERTS] = [0, 1, 2];
const WINDOW_WORDS = COUNTS.length;
/** Words that stay: when the span began, versions by bit in it and in the one before. */
const SPAN_START = WINDOW_WORDS;
const PRESENT = SPAN_START + 1;
const BEFORE = SPAN_START + 2;

/** What the tls decoder leaves; declared there. */
interface TlsFacts {
  readonly hello?: { readonly packet: number; readonly version: string; readonly ja4: string };
  readonly serverHello?: { readonly packet: number };
}

class TlsClients implements Tracker<TlsClientRow> {
  readonly #table: EntityTable;
  readonly #key: number = 0;

  constructor({ hashSeed, evicted }: TrackerContext) {
    this.#key = hashKey(hashSeed, "tls clients");
    this.#table = new EntityTable({
      ...{ capacity: CAPACITY, idleMs: IDLE_MS, hashSeed, evicted },
      ...{ keyWords: PAIR_WORDS + 1, windowWords: WINDOW_WORDS, lifeWords: 3 },
      sketchBytes: FADING_BYTES,
    });
  }

  onPacket(packet: Packet, timeMs: number): void {
    const { hello, serverHello } = packet.facts as TlsFacts;
    if (hello !== undefined && hello.packet === packet.number) {
      this.#hello(packet, hello.version, hello.ja4, timeMs);
    } else if (serverHello !== undefined && serverHello.packet === packet.number) {
      this.#table.increment(this.#claim(packet, timeMs), ANSWERS);
    } else if (packet.flowSide === 1 && isFatalAlert(packet)) {
      this.#table.increment(this.#claim(packet, timeMs), ALERTS);
    }
  }

  close(timeMs: number): TlsClientRow[] {
    const table = this.#table;
    const found = table
      .best(ROW_LIMIT, (slot) => weigh(table.value(slot, HELLOS), table.value(slot, ALERTS)))
      .map((slot) => this.#describe(slot));
    table.endWindow(timeMs);
    return found;
  }

  size(): number {
    return this.#table.size;
  }

  #hello(packet: Packet, version: string, ja4: string, timeMs: number): void {
    const table = this.#table;
    const slot = this.#claim(packet, timeMs);
    table.increment(slot, HELLOS);
    table.weigh(slot, 1);
    observeFading(table.sketches, table.sketch(slot), hashText(ja4, this.#key));
    const bit = VERSIONS.indexOf(version as (typeof VERSIONS)[number]);
    const at = table.row(slot) + PRESENT;
    if (bit >= 0) table.rows[at] = i32(table.rows, at) | (1 << bit);
  }

  #claim(packet: Packet, timeMs: number): number {
    const table = this.#table;
    const isFromServer = packet.flowSide === 1;
    setPair(table.key, packet, isFromServer);
    table.key[PAIR_WORDS] = isFromServer ? packet.sourcePort : packet.destinationPort;
    const slot = table.claim(timeMs);
    const at = table.row(slot);
    if (isSpanOver(table.rows, at + SPAN_START, table.isNew, timeMs, SPAN_MS)) {
      turnFading(table.sketches, table.sketch(slot));
      table.rows[at + BEFORE] = i32(table.rows, at + PRESENT);
      table.rows[at + PRESENT] = 0;
    }
    return slot;
  }

  #describe(slot: number): TlsClientRow {
    const table = this.#table;
    const word = (index: number): number => table.keyWord(slot, index);
    const seen = table.value(slot, PRESENT) | table.value(slot, BEFORE);
    return {
      client: table.address(slot),
      server: formatAddress(word(4), word(5), word(6), word(7)),
      port: word(8),
      ...table.named(slot, COUNTS),
      fingerprints: estimateFading(table.sketches, table.sketch(slot)),
      versions: VERSIONS.filter((_, bit) => (seen & (1 << bit)) !== 0),
    };
  }
}

function isFatalAlert({ view, payloadAt, payloadEnd }: Packet): boolean {
  if (payloadEnd - payloadAt < ALERT_LENGTH || view.getUint8(payloadAt) !== ALERT) return false;
  return (
    view.getUint16(payloadAt + LENGTH_AT) === 2 && view.getUint8(payloadAt + LEVEL_AT) === FATAL
  );
}

/** Order of rows: most hellos and refusals first; others have only answers to show. */
function weigh(hellos: number, alerts: number): number {
  return hellos + alerts + 1;
}

/** How varied the handshakes of each client with each TLS service are: evidence of probing. */
export const tlsClients: TrackerDefinition<"tls_clients"> = {
  name: "tls_clients",
  help: "TLS handshakes of each client with each service",
  capacity: CAPACITY,
  application: "tls",
  rows: {
    limit: ROW_LIMIT,
    key: (row) => `${row.client} ${row.server} ${row.port}`,
    weight: (row) => weigh(row.hellos, row.alerts),
    merge: (earlier, later) => ({
      ...later,
      ...addFields(earlier, later, COUNTS),
      ...greaterFields(earlier, later, ["fingerprints"]),
      versions: VERSIONS.filter((version) =>
        [...earlier.versions, ...later.versions].includes(version),
      ),
    }),
  },
  create: (context) => new TlsClients(context),
};
