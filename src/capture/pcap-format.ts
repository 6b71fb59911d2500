// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Delivery } from "./delivery.ts";
import { linkTypeOf } from "./link-types.ts";
import { FRAMES_AHEAD, type FramesAhead } from "./look-ahead.ts";
import { packetTypeDirection } from "./packet-type.ts";
import { type Damage, MAX_RECORD_BYTES, type RecordReader, setTime } from "./record-reader.ts";

// https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcap/ ; the "modified" format is Alexey Kuznetzov's patched
// libpcap, whose record headers carry 8 bytes more (interface index, protocol, packet type).
const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const MAGIC_NANOSECONDS = 0xa1b23c4d;
const MAGIC_MODIFIED = 0xa1b2cd34;

/** Bytes of the file header. */
export const PCAP_HEADER_BYTES = 24;

const RECORD_BYTES = 16;
const MODIFIED_RECORD_BYTES = 24;
const CAPTURED_AT = 8;
const PACKET_TYPE_AT = 22;

// The upper bits of the link-type field hold the length of a frame check sequence.
const LINK_TYPE_MASK = 0x03ffffff;

// libpcap's own upper bound for a packet; a file may declare more.
const USUAL_MAX_SNAPLEN = 262_144;

/** True where the four bytes at `at` begin a pcap file of either byte order. */
export function isPcap(view: DataView, at: number): boolean {
  return isMagic(view.getUint32(at, true)) || isMagic(view.getUint32(at, false));
}

function isMagic(magic: number): boolean {
  return magic === MAGIC_MICROSECONDS || magic === MAGIC_NANOSECONDS || magic === MAGIC_MODIFIED;
}

/** Reads pcap: both byte orders, microseconds and nanoseconds, and the modified record header. */
export class PcapReader implements RecordReader {
  readonly format = "pcap";
  readonly linkTypes: readonly number[];
  damage: Damage | null = null;
  readonly #little: boolean;
  readonly #modified: boolean;
  readonly #nanosecondsPerUnit: number;
  readonly #maxCaptured: number;
  readonly #minor: number;

  /** Takes the file header, `PCAP_HEADER_BYTES` long, at `at`. */
  constructor(view: DataView, at: number) {
    const little = isMagic(view.getUint32(at, true));
    const magic = view.getUint32(at, little);
    this.#little = little;
    this.#modified = magic === MAGIC_MODIFIED;
    this.#nanosecondsPerUnit = magic === MAGIC_NANOSECONDS ? 1 : 1000;
    this.#minor = view.getUint16(at + 6, little);
    const snaplen = view.getUint32(at + 16, little);
    this.#maxCaptured = Math.min(Math.max(snaplen, USUAL_MAX_SNAPLEN), MAX_RECORD_BYTES);
    this.linkTypes = [linkTypeOf(view.getUint32(at + 20, little) & LINK_TYPE_MASK)];
    const major = view.getUint16(at + 4, little);
    if (major !== 2)
      this.damage = { offset: 4, reason: `pcap version ${major}.${this.#minor} is not 2.x` };
  }

  read(view: DataView, at: number, end: number, origin: number, delivery: Delivery): number {
    const little = this.#little;
    const headerBytes = this.#modified ? MODIFIED_RECORD_BYTES : RECORD_BYTES;
    const { frame, sink, ahead } = delivery;
    ahead.reset();
    frame.view = view;
    frame.linkType = this.linkTypes[0] as number;
    while (at + headerBytes <= end && !delivery.stopped) {
      if (ahead.isDue()) this.#announce(view, at, end, ahead);
      let captured = view.getUint32(at + CAPTURED_AT, little);
      let original = view.getUint32(at + 12, little);
      if (this.#minor < 4 && this.#lengthsAreSwapped(captured, original)) {
        [captured, original] = [original, captured];
      }
      if (captured > this.#maxCaptured) {
        this.damage = {
          offset: origin + at,
          reason: `a packet record claims ${captured} bytes, more than the ${this.#maxCaptured} a packet of this file can have`,
        };
        return at;
      }
      const start = at + headerBytes;
      const next = start + captured;
      if (next > end) return at;
      setTime(
        frame,
        view.getUint32(at, little),
        view.getUint32(at + 4, little) * this.#nanosecondsPerUnit,
      );
      frame.start = start;
      frame.end = next;
      frame.wireLength = original;
      if (this.#modified) {
        frame.direction = packetTypeDirection(view.getUint8(at + PACKET_TYPE_AT));
      }
      delivery.delivered++;
      sink(frame);
      at = next;
    }
    return at;
  }

  #announce(view: DataView, at: number, end: number, ahead: FramesAhead): void {
    const headerBytes = this.#modified ? MODIFIED_RECORD_BYTES : RECORD_BYTES;
    const { starts } = ahead;
    let count = 0;
    while (count < FRAMES_AHEAD && at + headerBytes <= end) {
      const captured = view.getUint32(at + CAPTURED_AT, this.#little);
      const next = at + headerBytes + captured;
      if (next > end) break;
      starts[count++] = at + headerBytes;
      at = next;
    }
    ahead.announce(view, count);
  }

  // Files before version 2.3 hold the two lengths the other way round, and in 2.3 some do (libpcap, sf-pcap.c).
  #lengthsAreSwapped(captured: number, original: number): boolean {
    return this.#minor < 3 || captured > original;
  }
}
