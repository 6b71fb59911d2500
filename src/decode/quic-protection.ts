// SPDX-License-Identifier: AGPL-3.0-or-later
import { bytesOf } from "./bytes.ts";
import type { Packet } from "./packet.ts";
import type { LongHeader } from "./quic-header.ts";
import { type InitialKeys, SAMPLE_LENGTH, TAG_LENGTH } from "./quic-keys.ts";

/** The sample is taken as if the packet number had four bytes (RFC 9001 §5.4.2). */
const SAMPLE_AT = 4;
const LONG_FIRST_BYTE_MASK = 0x0f;
const NUMBER_LENGTH_MASK = 3;

/**
 * The frames of the Initial that starts at `at`, null where these keys do not fit. Packet numbers of Initials are
 * small: their truncated form is taken for the whole.
 */
export function openInitial(
  { view }: Packet,
  { numberAt, packetEnd }: LongHeader,
  at: number,
  keys: InitialKeys,
): DataView | null {
  const sampleAt = numberAt + SAMPLE_AT;
  if (sampleAt + SAMPLE_LENGTH > packetEnd) return null;
  const mask = keys.headerMask(bytesOf(view, sampleAt, sampleAt + SAMPLE_LENGTH));
  const first = view.getUint8(at) ^ (mask.readUInt8(0) & LONG_FIRST_BYTE_MASK);
  const payloadAt = numberAt + 1 + (first & NUMBER_LENGTH_MASK);
  if (payloadAt + TAG_LENGTH > packetEnd) return null;
  const header = Uint8Array.from(bytesOf(view, at, payloadAt));
  header[0] = first;
  let packetNumber = 0;
  for (let i = numberAt; i < payloadAt; i++) {
    const byte = view.getUint8(i) ^ mask.readUInt8(1 + i - numberAt);
    header[i - at] = byte;
    packetNumber = (packetNumber << 8) | byte;
  }
  const plain = keys.decrypt(header, packetNumber, bytesOf(view, payloadAt, packetEnd));
  return plain === null ? null : new DataView(plain.buffer, plain.byteOffset, plain.length);
}
