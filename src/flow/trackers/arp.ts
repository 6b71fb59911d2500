// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../../decode/packet.ts";
import { formatAddress, formatMac, V4_MAPPED_WORD2 } from "../../util/address.ts";
import { f64, i32 } from "../../util/typed.ts";
import { EntityTable } from "../sketch/entity-table.ts";
import type { RowRules, Tracker, TrackerContext, TrackerDefinition } from "../tracker.ts";

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
const CLAIMANTS = 1024;
const CLAIMS = 32;
const CLAIM_SECONDS = 300;

/** RFC 826 for Ethernet and IPv4: hardware type 1, protocol 0x0800, address lengths 6 and 4. */
const Field = {
  HARDWARE: 0,
  PROTOCOL: 2,
  LENGTHS: 4,
  OPERATION: 6,
  SENDER_MAC: 8,
  SENDER_IP: 14,
  TARGET_IP: 24,
  END: 28,
} as const;
const ETHERNET = 1;
const IPV4 = 0x0800;
const MAC_AND_IPV4_LENGTHS = 0x0604;
const REPLY = 2;
const GROUP_ADDRESS = 0x0100;

/** Words of a row; a binding is a MAC in two words and how often it was seen. */
const Column = {
  REPLIES: 0,
  GRATUITOUS: 1,
  KIND: 2,
  ADDRESSES: 3,
  PREVIOUS: 4,
  CURRENT: 7,
  OTHER: 10,
} as const;
const Binding = { HIGH: 0, LOW: 1, SIGHTINGS: 2 } as const;
const WINDOW_WORDS = 7;
const LIFE_WORDS = 6;
const KINDS = ["seen", "new", "changed"] as const;
const Kind = { SEEN: 0, NEW: 1, CHANGED: 2 } as const;

class Arp implements Tracker<ArpRow> {
  readonly #table: EntityTable;
  readonly #claimants: EntityTable;
  /** Since when the current and the other binding are known, and the age of the noted previous one, by slot. */
  readonly #currentSinceMs = new Float64Array(CAPACITY);
  readonly #otherSinceMs = new Float64Array(CAPACITY);
  readonly #previousAgeMs = new Float64Array(CAPACITY);
  readonly #mac = new DataView(new ArrayBuffer(6));

  constructor(context: TrackerContext) {
    const { hashSeed, evicted } = context;
    this.#table = new EntityTable({
      capacity: CAPACITY,
      keyWords: 1,
      windowWords: WINDOW_WORDS,
      lifeWords: LIFE_WORDS,
      idleMs: IDLE_MS,
      hashSeed,
      evicted,
    });
    this.#claimants = new EntityTable({
      capacity: CLAIMANTS,
      keyWords: 2,
      windowWords: 0,
      lifeWords: CLAIMS * 2,
      idleMs: CLAIM_SECONDS * 1000,
      hashSeed,
      evicted,
    });
  }

  onPacket(packet: Packet, timeMs: number): void {
    const { view, networkAt: at } = packet;
    if (at < 0 || at + Field.END > packet.end || !isEthernetIpv4(view, at)) return;
    const address = view.getInt32(at + Field.SENDER_IP);
    const high = view.getUint16(at + Field.SENDER_MAC);
    const low = view.getInt32(at + Field.SENDER_MAC + 2);
    // A probe (RFC 5227 §2.1.1) claims nothing yet, and no host has a group address.
    if (address === 0 || (high | low) === 0 || (high & GROUP_ADDRESS) !== 0) return;
    const table = this.#table;
    table.key[0] = address;
    const slot = table.claim(timeMs);
    table.weigh(slot, 1);
    const row = table.row(slot);
    if (view.getUint16(at + Field.OPERATION) === REPLY) increment(table.rows, row + Column.REPLIES);
    if (view.getInt32(at + Field.TARGET_IP) === address) {
      increment(table.rows, row + Column.GRATUITOUS);
    }
    if (table.isNew) this.#bindFirst(slot, high, low, timeMs);
    else this.#bind(slot, high, low, timeMs);
    const claimed = this.#countClaims(high, low, address, timeMs);
    table.rows[row + Column.ADDRESSES] = Math.max(claimed, i32(table.rows, row + Column.ADDRESSES));
  }

  close(timeMs: number): ArpRow[] {
    const { rows } = this.#table;
    const score = (slot: number): number => {
      const at = this.#table.row(slot);
      const packets = i32(rows, at + Column.REPLIES) + i32(rows, at + Column.GRATUITOUS);
      return weigh(i32(rows, at + Column.KIND), packets);
    };
    const found = this.#table.best(ROW_LIMIT, score).map((slot) => this.#describe(slot));
    this.#table.endWindow(timeMs);
    this.#claimants.endWindow(timeMs);
    return found;
  }

  size(): number {
    return this.#table.size;
  }

  #bindFirst(slot: number, high: number, low: number, timeMs: number): void {
    const { rows } = this.#table;
    const row = this.#table.row(slot);
    rows[row + Column.KIND] = Kind.NEW;
    write(rows, row + Column.CURRENT, high, low, 1);
    this.#currentSinceMs[slot] = timeMs;
  }

  #bind(slot: number, high: number, low: number, timeMs: number): void {
    const { rows } = this.#table;
    const row = this.#table.row(slot);
    const current = row + Column.CURRENT;
    if (holds(rows, current, high, low)) {
      increment(rows, current + Binding.SIGHTINGS);
      return;
    }
    this.#noteChange(slot, timeMs);
    const other = row + Column.OTHER;
    const isKnown = holds(rows, other, high, low);
    const knownSinceMs = f64(this.#otherSinceMs, slot);
    const sightings = i32(rows, other + Binding.SIGHTINGS);
    // Of the MACs that lost the address the better-known one is remembered, so that an owner who takes it back
    // from a forger is the same old owner.
    if (isKnown || i32(rows, current + Binding.SIGHTINGS) >= sightings) {
      rows.copyWithin(other, current, current + LIFE_WORDS / 2);
      this.#otherSinceMs[slot] = f64(this.#currentSinceMs, slot);
    }
    write(rows, current, high, low, isKnown ? sightings + 1 : 1);
    this.#currentSinceMs[slot] = isKnown ? knownSinceMs : timeMs;
  }

  /** Notes the current binding as the previous one, unless a better-known one was lost in this window. */
  #noteChange(slot: number, timeMs: number): void {
    const { rows } = this.#table;
    const row = this.#table.row(slot);
    const previous = row + Column.PREVIOUS;
    const current = row + Column.CURRENT;
    const isFirst = i32(rows, row + Column.KIND) !== Kind.CHANGED;
    rows[row + Column.KIND] = Kind.CHANGED;
    if (
      !isFirst &&
      i32(rows, previous + Binding.SIGHTINGS) >= i32(rows, current + Binding.SIGHTINGS)
    ) {
      return;
    }
    rows.copyWithin(previous, current, current + LIFE_WORDS / 2);
    this.#previousAgeMs[slot] = timeMs - f64(this.#currentSinceMs, slot);
  }

  /** Adds a claim; returns how many addresses the MAC claimed of late. */
  #countClaims(high: number, low: number, address: number, timeMs: number): number {
    const table = this.#claimants;
    table.key[0] = high;
    table.key[1] = low;
    const slot = table.claim(timeMs);
    table.weigh(slot, 1);
    const { rows } = table;
    const first = table.row(slot);
    const now = Math.trunc(timeMs / 1000) | 0;
    let place = first;
    let recent = 1;
    for (let at = first; at < first + CLAIMS * 2; at += 2) {
      const isSame = i32(rows, at) === address;
      const isRecent = i32(rows, at) !== 0 && ((now - i32(rows, at + 1)) | 0) < CLAIM_SECONDS;
      if (isRecent && !isSame) recent++;
      const isOlder = ((i32(rows, at + 1) - i32(rows, place + 1)) | 0) < 0;
      if (i32(rows, place) !== address && (isSame || isOlder)) place = at;
    }
    rows[place] = address;
    rows[place + 1] = now;
    return Math.min(recent, CLAIMS);
  }

  #describe(slot: number): ArpRow {
    const { rows } = this.#table;
    const row = this.#table.row(slot);
    const kind = KINDS[i32(rows, row + Column.KIND)] ?? "seen";
    const hasChanged = kind === "changed";
    return {
      address: formatAddress(0, 0, V4_MAPPED_WORD2, this.#table.keyWord(slot, 0)),
      mac: this.#macText(row + Column.CURRENT),
      kind,
      previousMac: hasChanged ? this.#macText(row + Column.PREVIOUS) : "",
      previousAgeMs: hasChanged ? f64(this.#previousAgeMs, slot) : 0,
      previousSightings: i32(rows, row + Column.PREVIOUS + Binding.SIGHTINGS),
      replies: i32(rows, row + Column.REPLIES),
      gratuitous: i32(rows, row + Column.GRATUITOUS),
      addressesOfMac: i32(rows, row + Column.ADDRESSES),
    };
  }

  #macText(binding: number): string {
    const { rows } = this.#table;
    this.#mac.setUint16(0, i32(rows, binding + Binding.HIGH));
    this.#mac.setInt32(2, i32(rows, binding + Binding.LOW));
    return formatMac(this.#mac, 0);
  }
}

function isEthernetIpv4(view: DataView, at: number): boolean {
  return (
    view.getUint16(at + Field.HARDWARE) === ETHERNET &&
    view.getUint16(at + Field.PROTOCOL) === IPV4 &&
    view.getUint16(at + Field.LENGTHS) === MAC_AND_IPV4_LENGTHS
  );
}

function increment(rows: Int32Array, at: number): void {
  rows[at] = i32(rows, at) + 1;
}

function holds(rows: Int32Array, binding: number, high: number, low: number): boolean {
  return i32(rows, binding + Binding.HIGH) === high && i32(rows, binding + Binding.LOW) === low;
}

function write(rows: Int32Array, binding: number, high: number, low: number, seen: number): void {
  rows[binding + Binding.HIGH] = high;
  rows[binding + Binding.LOW] = low;
  rows[binding + Binding.SIGHTINGS] = seen;
}

/** Order of rows: changes first, then new addresses, then those with most unasked-for or answering packets. */
function weigh(kind: number, packets: number): number {
  return kind * 1_000_000 + Math.min(packets, 999_998) + 1;
}

const rules: RowRules<ArpRow> = {
  limit: ROW_LIMIT,
  key: (row) => row.address,
  weight: (row) => weigh(KINDS.indexOf(row.kind), row.replies + row.gratuitous),
  merge(earlier, later) {
    const notable = later.kind === "changed" || earlier.kind === "seen" ? later : earlier;
    return {
      ...notable,
      mac: later.mac,
      replies: earlier.replies + later.replies,
      gratuitous: earlier.gratuitous + later.gratuitous,
      addressesOfMac: Math.max(earlier.addressesOfMac, later.addressesOfMac),
    };
  },
};

/** Which MAC address answers for which IPv4 address: evidence of ARP spoofing. */
export const arp: TrackerDefinition<"arp"> = {
  name: "arp",
  help: "ARP bindings of IPv4 addresses to MAC addresses",
  capacity: CAPACITY,
  packets: "arp",
  rows: rules,
  create: (context) => new Arp(context),
};
