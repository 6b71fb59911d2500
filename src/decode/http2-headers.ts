// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import { add } from "../util/typed.ts";
import { conversationsForgotten } from "./conversations.ts";
import { BlockReader } from "./hpack/block-reader.ts";
import { createHttpNotes, type HttpNotes } from "./http-notes.ts";
import type { Packet } from "./packet.ts";
import { type DecodeContext, Stop } from "./protocol.ts";
import { NO_SLOT, StreamSlots } from "./stream-slots.ts";

/** Sides of connections whose tables are kept at once: 4 MiB. */
const STREAMS = 1024;
const UNSOUGHT = NO_SLOT - 1;
const UNREAD = ["unknown", "malformed", "crowded"] as const;
const Unread = { UNKNOWN: 0, MALFORMED: 1, CROWDED: 2 } as const;

export const http2Unread: MetricDefinition = {
  name: "nam_http2_headers_unread_total",
  help: "HTTP/2 header blocks in clear text without a message that could be counted. unknown: they refer to what was said before the capture began, in a segment that was lost, or too long ago; malformed: they break HPACK; crowded: more fields in so few bytes than anybody sends, of which the rest is not read.",
  type: "counter",
  labels: { reason: UNREAD },
};

/** Reads the header blocks of HTTP/2 in clear text, of the sides that sent some last, and counts their messages. */
export class Http2Headers {
  readonly #slots = new StreamSlots(STREAMS);
  readonly #reader = new BlockReader(STREAMS);
  readonly #notes: HttpNotes;
  readonly #counters: Float64Array;
  readonly #unread: number;
  readonly #forgotten: number;
  /** Of the segment that is being read: the slot of its side, and where the last host is kept; its length is 0 without one. */
  #slot: number = UNSOUGHT;
  #hostSlot: number = NO_SLOT;
  #hostPlace = 0;
  #hostLength = 0;

  constructor(context: DecodeContext) {
    this.#notes = context.shared(createHttpNotes);
    this.#counters = context.counters;
    this.#unread = context.base(http2Unread);
    this.#forgotten = context.base(conversationsForgotten);
  }

  /** A segment begins; what is said from here on is of its side. */
  turnTo(packet: Packet): void {
    this.#slot = UNSOUGHT;
    this.#reader.beginSegment(packet.payloadEnd - packet.payloadAt);
    this.#hostLength = 0;
  }

  /** The segment ends. Its host is copied once, however many requests were for it. */
  endSegment(): void {
    const { tables } = this.#reader;
    if (this.#hostLength === 0 || !tables.hasHost(this.#hostSlot, this.#hostPlace)) return;
    const at = tables.hostAt(this.#hostSlot, this.#hostPlace);
    this.#notes.hostUnpacked(tables.hosts, at, this.#hostLength);
  }

  /** A block begins in the packet; `isFirst`: the first of its side, which is seen from its first byte on. */
  begin(packet: Packet, isFirst: boolean): void {
    let slot = this.#find(packet);
    if (slot === NO_SLOT || isFirst) {
      slot = this.#take(packet, slot !== NO_SLOT);
      this.#slot = slot;
      this.#reader.tables.reset(slot, isFirst);
    }
    this.#slots.restart(slot, packet);
    this.#reader.begin(slot);
  }

  /** The next bytes of the block, `[at, end)` of the packet. */
  read(packet: Packet, at: number, end: number): void {
    const slot = this.#find(packet);
    if (slot !== NO_SLOT) this.#reader.read(packet.view, at, end, slot);
  }

  /** The block ends; `isPushed`: the server sends it for a request that it thinks the client would make. Returns a Stop. */
  end(packet: Packet, isPushed: boolean): number {
    const slot = this.#find(packet);
    if (slot === NO_SLOT) return Stop.DONE;
    const reader = this.#reader;
    const { facts } = reader;
    if (!reader.end(slot)) {
      return reader.isCrowded(slot) ? this.#crowded(packet) : this.broken(packet);
    }
    if (isPushed) return Stop.DONE;
    const method = facts.method(slot);
    const status = facts.status(slot);
    if (method < 0 && status === 0) {
      if (facts.hasUnknown(slot)) add(this.#counters, this.#unread + Unread.UNKNOWN, 1);
      return Stop.DONE;
    }
    const notes = this.#notes;
    notes.turnTo(packet);
    notes.facts.fields = facts.fields(slot);
    if (method < 0) {
      notes.response(status);
      return Stop.DONE;
    }
    notes.request(method);
    if (facts.hostLength(slot) === 0) return Stop.DONE;
    this.#hostSlot = slot;
    this.#hostPlace = facts.hostPlace(slot);
    this.#hostLength = facts.hostLength(slot);
    return Stop.DONE;
  }

  /** The block, or the frames around it, broke the format: from here on its side's table is not known. Returns a Stop. */
  broken(packet: Packet): number {
    add(this.#counters, this.#unread + Unread.MALFORMED, 1);
    const slot = this.#find(packet);
    const isSure = slot !== NO_SLOT && this.#reader.tables.isWhole(slot);
    this.lose(packet);
    return isSure ? Stop.MALFORMED : Stop.DONE;
  }

  #crowded(packet: Packet): number {
    add(this.#counters, this.#unread + Unread.CROWDED, 1);
    this.lose(packet);
    return Stop.DONE;
  }

  /** Something of the packet's side was missed, so that its table is not known. */
  lose(packet: Packet): void {
    const slot = this.#find(packet);
    if (slot !== NO_SLOT) this.#reader.tables.reset(slot, false);
  }

  /** The slot of the packet's side, looked up once a segment, and only for one with a header block. */
  #find(packet: Packet): number {
    if (this.#slot === UNSOUGHT) this.#slot = this.#slots.find(packet);
    return this.#slot;
  }

  /** Gives the packet's side a slot, its own where it has one, a free one, or the one taken longest ago. */
  #take(packet: Packet, isOwn: boolean): number {
    const slots = this.#slots;
    const slot = slots.place(packet);
    if (!isOwn && slots.isTaken(slot)) add(this.#counters, this.#forgotten, 1);
    slots.release(slot);
    slots.take(slot, packet);
    return slot;
  }
}
