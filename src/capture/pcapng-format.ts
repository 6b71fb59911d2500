// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Delivery } from "./delivery.ts";
import { FRAMES_AHEAD, type FramesAhead } from "./look-ahead.ts";
import { findOption, PcapngInterface } from "./pcapng-interface.ts";
import { type Damage, MAX_RECORD_BYTES, type RecordReader } from "./record-reader.ts";
import { Direction } from "./source.ts";

// Block types and layouts: https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcapng/ section 4.
const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const OBSOLETE_PACKET = 2;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;

const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const SUPPORTED_MAJOR = 1;

const BLOCK_HEADER_BYTES = 8;
const BLOCK_FRAMING_BYTES = 12;
const SECTION_BODY_BYTES = 16;
const INTERFACE_BODY_BYTES = 8;
const SIMPLE_BODY_BYTES = 4;
const PACKET_BODY_BYTES = 20;

// Option 2 of packet blocks; its lowest two bits are the direction (section 4.3.1).
const PACKET_FLAGS = 2;
const DIRECTION_MASK = 3;
const INBOUND = 1;
const OUTBOUND = 2;

// More interfaces than any writer declares: a bound on what a hostile file can make the reader keep.
const MAX_INTERFACES = 65_536;

/** True where the four bytes at `at` begin a pcapng file. */
export function isPcapng(view: DataView, at: number): boolean {
  return view.getUint32(at, false) === SECTION_HEADER;
}

/**
 * Reads pcapng: any number of sections of either byte order, each with its interfaces; enhanced, simple and
 * obsolete packet blocks. All other blocks are skipped. A simple packet has no time of its own and gets the one
 * of the packet before it.
 */
export class PcapngReader implements RecordReader {
  readonly format = "pcapng";
  damage: Damage | null = null;
  readonly #linkTypes = new Set<number>();
  #little = true;
  #interfaces: PcapngInterface[] = [];

  get linkTypes(): readonly number[] {
    return [...this.#linkTypes];
  }

  read(view: DataView, at: number, end: number, origin: number, delivery: Delivery): number {
    const { ahead } = delivery;
    delivery.frame.view = view;
    ahead.reset();
    while (at + BLOCK_FRAMING_BYTES <= end && !delivery.stopped) {
      if (ahead.isDue()) this.#announce(view, at, end, ahead);
      const type = view.getUint32(at, this.#little);
      if (type === SECTION_HEADER && !this.#beginSection(view, at, origin)) return at;
      const length = view.getUint32(at + 4, this.#little);
      if (length < BLOCK_FRAMING_BYTES || length % 4 !== 0 || length > MAX_RECORD_BYTES) {
        return this.#fail(at, origin, `a block claims a length of ${length} bytes`);
      }
      const next = at + length;
      if (next > end) return at;
      if (view.getUint32(next - 4, this.#little) !== length) {
        return this.#fail(at, origin, "the two lengths of a block differ");
      }
      const reason = this.#block(type, view, at + BLOCK_HEADER_BYTES, next - 4, delivery);
      if (reason !== null) return this.#fail(at, origin, reason);
      at = next;
    }
    return at;
  }

  #announce(view: DataView, at: number, end: number, ahead: FramesAhead): void {
    const little = this.#little;
    const { starts } = ahead;
    let count = 0;
    while (count < FRAMES_AHEAD && at + BLOCK_FRAMING_BYTES <= end) {
      const length = view.getUint32(at + 4, little);
      const isWhole = length >= BLOCK_FRAMING_BYTES && at + length <= end;
      if (!isWhole || view.getUint32(at, little) !== ENHANCED_PACKET) break;
      starts[count++] = at + BLOCK_HEADER_BYTES + PACKET_BODY_BYTES;
      at += length;
    }
    ahead.announce(view, count);
  }

  #fail(at: number, origin: number, reason: string): number {
    this.damage = { offset: origin + at, reason };
    return at;
  }

  // The byte order must be known before the header's own length can be read; that a section shorter than its
  // fields is refused follows in #block.
  #beginSection(view: DataView, at: number, origin: number): boolean {
    const magicAt = at + BLOCK_HEADER_BYTES;
    if (view.getUint32(magicAt, true) === BYTE_ORDER_MAGIC) this.#little = true;
    else if (view.getUint32(magicAt, false) === BYTE_ORDER_MAGIC) this.#little = false;
    else {
      this.#fail(at, origin, "a section header has no byte-order magic");
      return false;
    }
    return true;
  }

  /** Takes a block's body `[at, end)`; returns what is wrong with it, or null. */
  #block(type: number, view: DataView, at: number, end: number, delivery: Delivery): string | null {
    switch (type) {
      case ENHANCED_PACKET:
        return end - at < PACKET_BODY_BYTES
          ? "an enhanced packet block is too short"
          : this.#packet(view, at, end, view.getUint32(at, this.#little), delivery);
      case OBSOLETE_PACKET:
        return end - at < PACKET_BODY_BYTES
          ? "a packet block is too short"
          : this.#packet(view, at, end, view.getUint16(at, this.#little), delivery);
      case SIMPLE_PACKET:
        return this.#simplePacket(view, at, end, delivery);
      case INTERFACE_DESCRIPTION:
        return this.#interface(view, at, end);
      case SECTION_HEADER:
        return this.#section(view, at, end);
      default:
        return null;
    }
  }

  #section(view: DataView, at: number, end: number): string | null {
    if (end - at < SECTION_BODY_BYTES) return "a section header is too short";
    const major = view.getUint16(at + 4, this.#little);
    if (major !== SUPPORTED_MAJOR) return `pcapng version ${major} is not 1`;
    this.#interfaces = [];
    return null;
  }

  #interface(view: DataView, at: number, end: number): string | null {
    if (end - at < INTERFACE_BODY_BYTES) return "an interface description is too short";
    if (this.#interfaces.length === MAX_INTERFACES) return `more than ${MAX_INTERFACES} interfaces`;
    const added = new PcapngInterface(view, at, end, this.#little);
    this.#interfaces.push(added);
    this.#linkTypes.add(added.linkType);
    return null;
  }

  // Enhanced and obsolete packet blocks agree in everything but the width of the interface number.
  #packet(
    view: DataView,
    at: number,
    end: number,
    interfaceIndex: number,
    delivery: Delivery,
  ): string | null {
    const little = this.#little;
    const from = this.#interfaces[interfaceIndex];
    if (from === undefined) return this.#unknownInterface(interfaceIndex);
    const captured = view.getUint32(at + 12, little);
    const start = at + PACKET_BODY_BYTES;
    if (captured > end - start) return `a packet of ${captured} bytes does not fit its block`;
    const { frame } = delivery;
    from.stamp(frame, view.getUint32(at + 4, little), view.getUint32(at + 8, little));
    frame.start = start;
    frame.end = start + captured;
    frame.wireLength = view.getUint32(at + 16, little);
    frame.linkType = from.linkType;
    frame.direction = this.#direction(view, start + ((captured + 3) & ~3), end);
    delivery.delivered++;
    delivery.sink(frame);
    return null;
  }

  #simplePacket(view: DataView, at: number, end: number, delivery: Delivery): string | null {
    if (end - at < SIMPLE_BODY_BYTES) return "a simple packet block is too short";
    const from = this.#interfaces[0];
    if (from === undefined) return this.#unknownInterface(0);
    const original = view.getUint32(at, this.#little);
    const start = at + SIMPLE_BODY_BYTES;
    const limit = from.snaplen === 0 ? original : Math.min(original, from.snaplen);
    const { frame } = delivery;
    frame.start = start;
    frame.end = start + Math.min(limit, end - start);
    frame.wireLength = original;
    frame.linkType = from.linkType;
    frame.direction = Direction.UNKNOWN;
    delivery.delivered++;
    delivery.sink(frame);
    return null;
  }

  #direction(view: DataView, at: number, end: number): number {
    if (at >= end) return Direction.UNKNOWN;
    const flagsAt = findOption(view, at, end, this.#little, PACKET_FLAGS, 4);
    if (flagsAt < 0) return Direction.UNKNOWN;
    const flags = view.getUint32(flagsAt, this.#little) & DIRECTION_MASK;
    if (flags === INBOUND) return Direction.IN;
    return flags === OUTBOUND ? Direction.OUT : Direction.UNKNOWN;
  }

  #unknownInterface(index: number): string {
    return `a packet names interface ${index}, but the section has ${this.#interfaces.length}`;
  }
}
