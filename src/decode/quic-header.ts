// SPDX-License-Identifier: AGPL-3.0-or-later
import type { QuicVersion } from "./quic-keys.ts";

/** Long header (RFC 9000 §17.2): first byte, version, then both connection ids, each after its length. */
const VERSION_AT = 1;
const DESTINATION_LENGTH_AT = 5;
const DESTINATION_AT = 6;
const MAX_ID_LENGTH = 20;
const LONG_FORM = 0x80;
/** The Retry Integrity Tag that ends a Retry packet (RFC 9001 §5.8). */
const RETRY_TAG_LENGTH = 16;

/** Types of long-header packets as version 1 numbers them. */
export const PacketType = { INITIAL: 0, ZERO_RTT: 1, HANDSHAKE: 2, RETRY: 3 } as const;

/**
 * Reads variable-length integers (RFC 9000 §16) in `[at, end)`. Those over 2^30 stand for lengths that no datagram
 * has: reading one fails as a read past the end does.
 */
export class VarintReader {
  view: DataView;
  at = 0;
  end = 0;

  constructor(view: DataView) {
    this.view = view;
  }

  /** The next integer, -1 where there is none. */
  next(): number {
    if (this.at >= this.end) return -1;
    const first = this.view.getUint8(this.at);
    const length = 1 << (first >>> 6);
    if (this.at + length > this.end) return -1;
    let value = first & 0x3f;
    for (let i = 1; i < length; i++) {
      if (value > 0x3fffff) return -1;
      value = (value << 8) | this.view.getUint8(this.at + i);
    }
    this.at += length;
    return value;
  }
}

/** One long-header packet of a datagram. One object, reused. */
export class LongHeader {
  /** PacketType; valid once `readBody` was called. */
  type = 0;
  version = 0;
  destinationAt = 0;
  destinationLength = 0;
  sourceAt = 0;
  sourceLength = 0;
  /** Where the packet number is, still protected, and where the packet ends. */
  numberAt = 0;
  packetEnd = 0;
  #firstByte = 0;
  readonly #varint = new VarintReader(new DataView(new ArrayBuffer(0)));

  /** Reads what all versions share (RFC 8999 §5.1); false where the bytes end before it does. */
  read(view: DataView, at: number, end: number): boolean {
    if (at + DESTINATION_AT > end) return false;
    this.#firstByte = view.getUint8(at);
    this.version = view.getInt32(at + VERSION_AT);
    this.destinationAt = at + DESTINATION_AT;
    this.destinationLength = view.getUint8(at + DESTINATION_LENGTH_AT);
    const sourceLengthAt = this.destinationAt + this.destinationLength;
    if (this.destinationLength > MAX_ID_LENGTH || sourceLengthAt >= end) return false;
    this.sourceAt = sourceLengthAt + 1;
    this.sourceLength = view.getUint8(sourceLengthAt);
    return this.sourceLength <= MAX_ID_LENGTH && this.sourceAt + this.sourceLength <= end;
  }

  /** Reads the rest of a packet of a version that is known; false where a length goes past `end`. */
  readBody(view: DataView, end: number, version: QuicVersion): boolean {
    this.type = ((this.#firstByte >>> 4) - version.typeOffset) & 3;
    const varint = this.#varint;
    varint.view = view;
    varint.at = this.sourceAt + this.sourceLength;
    varint.end = end;
    if (this.type === PacketType.RETRY) {
      this.packetEnd = end;
      return varint.at + RETRY_TAG_LENGTH <= end;
    }
    if (this.type === PacketType.INITIAL) {
      const token = varint.next();
      if (token < 0) return false;
      varint.at += token;
    }
    const length = varint.next();
    this.numberAt = varint.at;
    this.packetEnd = varint.at + length;
    return length >= 0 && this.packetEnd <= end;
  }
}

export function isLongHeader(firstByte: number): boolean {
  return (firstByte & LONG_FORM) !== 0;
}
