// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Delivery } from "./delivery.ts";
import { linkTypeOf } from "./link-types.ts";
import { packetTypeDirection } from "./packet-type.ts";
import { type Damage, MAX_RECORD_BYTES, type RecordReader, setTime } from "./record-reader.ts";
import type { FramesAhead } from "./source.ts";

// https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcap/ ; the "modified" format is Alexey Kuznetzov's patched
// libpcap, whose record headers carry 8 bytes more (interface index, protocol, packet type).
const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const MAGIC_NANOSECONDS = 0xa1b23c4d;
const MAGIC_MODIFIED = 0xa1b2cd34;

/** Bytes of the file header. */
export const PCAP_HEADER_BYTES = 24;

const RECORD_BYTES = 16;
const MODIFIED_RECORD_BYTES = 24;
const PACKET_TYPE_AT = 22;
/** Frames that are announced at once: few enough for what is fetched for them to stay in the nearest cache. */
const AHEAD_FRAMES = 64;

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
  readonly #starts = new Int32Array(AHEAD_FRAMES);

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
    const { frame, sink } = delivery;
    frame.view = view;
    frame.linkType = this.linkTypes[0] as number;
    let announced = delivery.ahead === null ? end : at;
    while (at + headerBytes <= end && !delivery.stopped) {
      if (at >= announced) announced = this.#announce(view, at, end, delivery.ahead);
      let captured = view.getUint32(at + 8, little);
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

  /** Tells `ahead` of the next frames; returns where the first that it was not told of begins. */
  #announce(view: DataView, from: number, end: number, ahead: FramesAhead | null): number {
    const headerBytes = this.#modified ? MODIFIED_RECORD_BYTES : RECORD_BYTES;
    const starts = this.#starts;
    let at = from;
    let count = 0;
    while (count < AHEAD_FRAMES && at + headerBytes <= end) {
      const next = at + headerBytes + view.getUint32(at + 8, this.#little);
      if (next > end) break;
      starts[count++] = at + headerBytes;
      at = next;
    }
    if (count === 0) return end;
    ahead?.(view, starts, count);
    return at;
  }

  // Files before version 2.3 hold the two lengths the other way round, and in 2.3 some do (libpcap, sf-pcap.c).
  #lengthsAreSwapped(captured: number, original: number): boolean {
    return this.#minor < 3 || captured > original;
  }
}
