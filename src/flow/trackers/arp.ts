// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../../decode/packet.ts";
import { formatAddress, formatMac, V4_MAPPED_WORD2 } from "../../util/address.ts";
import { f64 } from "../../util/typed.ts";
import { emptyClaim, readArpClaim } from "../arp-claim.ts";
import { ArpQuestions } from "../arp-questions.ts";
import { addFields } from "../row-merge.ts";
import { EntityTable } from "../sketch/entity-table.ts";
import { RecentValues } from "../sketch/recent-values.ts";
import type { Tracker, TrackerContext, TrackerDefinition } from "../tracker.ts";

/** What ARP said of one IPv4 address during a window. */
export interface ArpRow {
  readonly address: string;
  /** MAC address it is bound to now. */
  readonly mac: string;
  /** `new`: an address not known before; `changed`: it was bound to another MAC; `seen`: the binding was confirmed. */
  readonly kind: "new" | "changed" | "seen";
  /** The best-known MAC it was bound to before a change of this window, "" without one. */
  readonly previousMac: string;
  /** How long that binding had been known, and by how many packets. */
  readonly previousAgeMs: number;
  readonly previousSightings: number;
  /** Packets that bound the address to `mac`, ever since it claims it; replies to nobody's question among them. */
  readonly sightings: number;
  readonly unsolicited: number;
  /** Those among `previousSightings`. */
  readonly previousUnsolicited: number;
  /** Replies of this window, and packets that ask for the sender's own address (RFC 5227 announcements). */
  readonly replies: number;
  readonly gratuitous: number;
  /** Distinct addresses that one of its MACs claimed in the last 5 minutes, at most 32. */
  readonly addressesOfMac: number;
}

declare module "../window.ts" {
  interface TrackerRows {
    readonly arp: readonly ArpRow[];
  }
}

const CAPACITY = 4096;
const ROW_LIMIT = 128;
/** Hosts that are switched on once a day stay known. */
const IDLE_MS = 36 * 3_600_000;
/** MAC addresses whose claims are counted, and how. */
const CLAIMS = { capacity: 1024, keyWords: 2, values: 32, seconds: 300 };

/** Words of a row; a binding is a MAC in two words, how often it was seen, and how often without being asked. */
const REPLIES = 0;
const GRATUITOUS = 1;
const KIND = 2;
const ADDRESSES = 3;
const PREVIOUS = 4;
const CURRENT = 8;
const OTHER = 12;
const BINDING_WORDS = 4;
const SIGHTINGS = 2;
const UNSOLICITED = 3;

const KINDS = ["seen", "new", "changed"] as const;
const Kind = { NEW: 1, CHANGED: 2 } as const;

class Arp implements Tracker<ArpRow> {
  readonly #table: EntityTable;
  readonly #claims: RecentValues;
  readonly #questions: ArpQuestions;
  readonly #claim = emptyClaim();
  /** Since when the current and the other binding are known, and the age of the noted previous one, by slot. */
  readonly #currentSinceMs = new Float64Array(CAPACITY);
  readonly #otherSinceMs = new Float64Array(CAPACITY);
  readonly #previousAgeMs = new Float64Array(CAPACITY);
  readonly #mac = new DataView(new ArrayBuffer(6));

  constructor({ hashSeed, evicted }: TrackerContext) {
    this.#claims = new RecentValues({ ...CLAIMS, hashSeed, evicted });
    this.#questions = new ArpQuestions(hashSeed);
    this.#table = new EntityTable({
      ...{ capacity: CAPACITY, idleMs: IDLE_MS, hashSeed, evicted },
      ...{ keyWords: 1, windowWords: CURRENT, lifeWords: 2 * BINDING_WORDS },
    });
  }

  onPacket(packet: Packet, timeMs: number): void {
    const claim = this.#claim;
    if (!readArpClaim(packet, claim)) return;
    const table = this.#table;
    table.key[0] = claim.address;
    const slot = table.claim(timeMs);
    table.weigh(slot, 1);
    if (claim.isReply) table.increment(slot, REPLIES);
    if (claim.isGratuitous) table.increment(slot, GRATUITOUS);
    if (table.isNew) this.#bindFirst(slot, timeMs);
    else if (this.#holds(slot, CURRENT)) table.increment(slot, CURRENT + SIGHTINGS);
    else this.#rebind(slot, timeMs);
    if (this.#isUnsolicited(timeMs)) table.increment(slot, CURRENT + UNSOLICITED);
    this.#claims.owner[0] = claim.macHigh;
    this.#claims.owner[1] = claim.macLow;
    const claimed = this.#claims.add(claim.address, timeMs);
    if (claimed > table.value(slot, ADDRESSES)) table.rows[table.row(slot) + ADDRESSES] = claimed;
  }

  close(timeMs: number): ArpRow[] {
    const table = this.#table;
    const score = (slot: number): number =>
      weigh(table.value(slot, KIND), table.value(slot, REPLIES) + table.value(slot, GRATUITOUS));
    const found = table.best(ROW_LIMIT, score).map((slot) => this.#describe(slot));
    table.endWindow(timeMs);
    this.#claims.endWindow(timeMs);
    return found;
  }

  size(): number {
    return this.#table.size;
  }

  /** Takes a question; true for a reply that nobody asked for. Announcements are made on purpose, and are none. */
  #isUnsolicited(timeMs: number): boolean {
    const { isReply, isGratuitous, address, macHigh, macLow } = this.#claim;
    const { target, targetHigh, targetLow } = this.#claim;
    if (isGratuitous) return false;
    if (isReply) return !this.#questions.wasAsked(targetHigh, targetLow, address, timeMs);
    this.#questions.ask(macHigh, macLow, target, timeMs);
    return false;
  }

  #bindFirst(slot: number, timeMs: number): void {
    this.#table.rows[this.#table.row(slot) + KIND] = Kind.NEW;
    this.#write(slot, 1, 0, timeMs);
  }

  #rebind(slot: number, timeMs: number): void {
    this.#noteChange(slot, timeMs);
    const isKnown = this.#holds(slot, OTHER);
    const knownSinceMs = f64(this.#otherSinceMs, slot);
    const sightings = this.#table.value(slot, OTHER + SIGHTINGS);
    const unsolicited = isKnown ? this.#table.value(slot, OTHER + UNSOLICITED) : 0;
    // Of the MACs that lost the address the better-known one is remembered, so that an owner who takes it back
    // from a forger is the same old owner.
    if (isKnown || this.#table.value(slot, CURRENT + SIGHTINGS) >= sightings) {
      this.#copyCurrent(slot, OTHER);
      this.#otherSinceMs[slot] = f64(this.#currentSinceMs, slot);
    }
    const since = isKnown ? knownSinceMs : timeMs;
    this.#write(slot, isKnown ? sightings + 1 : 1, unsolicited, since);
  }

  /** Notes the current binding as the previous one, unless a better-known one was lost in this window. */
  #noteChange(slot: number, timeMs: number): void {
    const table = this.#table;
    const isFirst = table.value(slot, KIND) !== Kind.CHANGED;
    table.rows[table.row(slot) + KIND] = Kind.CHANGED;
    const noted = table.value(slot, PREVIOUS + SIGHTINGS);
    if (!isFirst && noted >= table.value(slot, CURRENT + SIGHTINGS)) return;
    this.#copyCurrent(slot, PREVIOUS);
    this.#previousAgeMs[slot] = timeMs - f64(this.#currentSinceMs, slot);
  }

  #copyCurrent(slot: number, column: number): void {
    const at = this.#table.row(slot);
    this.#table.rows.copyWithin(at + column, at + CURRENT, at + CURRENT + BINDING_WORDS);
  }

  /** True where the binding in a column is to the MAC of the claim. */
  #holds(slot: number, column: number): boolean {
    const { macHigh, macLow } = this.#claim;
    return (
      this.#table.value(slot, column) === macHigh && this.#table.value(slot, column + 1) === macLow
    );
  }

  /** Makes the claim the current binding. */
  #write(slot: number, sightings: number, unsolicited: number, sinceMs: number): void {
    const { rows } = this.#table;
    const at = this.#table.row(slot) + CURRENT;
    rows[at] = this.#claim.macHigh;
    rows[at + 1] = this.#claim.macLow;
    rows[at + SIGHTINGS] = sightings;
    rows[at + UNSOLICITED] = unsolicited;
    this.#currentSinceMs[slot] = sinceMs;
  }

  #describe(slot: number): ArpRow {
    const table = this.#table;
    const kind = KINDS[table.value(slot, KIND)] ?? "seen";
    const hasChanged = kind === "changed";
    // An owner who took the address back before the window ended is not who it was taken by.
    const isTakenBack = hasChanged && this.#isSameMac(slot, CURRENT, PREVIOUS);
    const named = isTakenBack ? OTHER : CURRENT;
    return {
      address: formatAddress(0, 0, V4_MAPPED_WORD2, table.keyWord(slot, 0)),
      mac: this.#macText(slot, named),
      kind,
      previousMac: hasChanged ? this.#macText(slot, PREVIOUS) : "",
      previousAgeMs: hasChanged ? f64(this.#previousAgeMs, slot) : 0,
      previousSightings: table.value(slot, PREVIOUS + SIGHTINGS),
      sightings: table.value(slot, named + SIGHTINGS),
      unsolicited: table.value(slot, named + UNSOLICITED),
      previousUnsolicited: table.value(slot, PREVIOUS + UNSOLICITED),
      replies: table.value(slot, REPLIES),
      gratuitous: table.value(slot, GRATUITOUS),
      addressesOfMac: table.value(slot, ADDRESSES),
    };
  }

  #isSameMac(slot: number, column: number, other: number): boolean {
    const table = this.#table;
    return (
      table.value(slot, column) === table.value(slot, other) &&
      table.value(slot, column + 1) === table.value(slot, other + 1)
    );
  }

  #macText(slot: number, column: number): string {
    this.#mac.setUint16(0, this.#table.value(slot, column));
    this.#mac.setInt32(2, this.#table.value(slot, column + 1));
    return formatMac(this.#mac, 0);
  }
}

/** Order of rows: changes first, then new addresses, then those with most replies and announcements. */
function weigh(kind: number, packets: number): number {
  return kind * 1_000_000 + Math.min(packets, 999_998) + 1;
}

/** Which MAC address answers for which IPv4 address: evidence of ARP spoofing. */
export const arp: TrackerDefinition<"arp"> = {
  name: "arp",
  help: "ARP bindings of IPv4 addresses to MAC addresses",
  capacity: CAPACITY,
  packets: "arp",
  rows: {
    limit: ROW_LIMIT,
    key: (row) => row.address,
    weight: (row) => weigh(KINDS.indexOf(row.kind), row.replies + row.gratuitous),
    merge: (earlier, later) => ({
      ...(later.kind === "changed" || earlier.kind === "seen" ? later : earlier),
      mac: later.mac,
      sightings: later.sightings,
      unsolicited: later.unsolicited,
      ...addFields(earlier, later, ["replies", "gratuitous"]),
      addressesOfMac: Math.max(earlier.addressesOfMac, later.addressesOfMac),
    }),
  },
  create: (context) => new Arp(context),
};
