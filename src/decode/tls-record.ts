// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";

/** Record header (RFC 8446 §5.1): content type, version, length; then the handshake's type and length. */
const LENGTH_AT = 3;
const HEADER_LENGTH = 5;
const HELLO_VERSION_AT = 9;
const RECOGNISED_LENGTH = 11;
const HANDSHAKE_HEADER_LENGTH = 4;
const HANDSHAKE_LENGTH_MASK = 0xffffff;
const CHANGE_CIPHER_SPEC = 20;
const CHANGE_CIPHER_SPEC_LENGTH = 6;
const MAJOR_VERSION = 3;
/** RFC 5246 §6.2.3: the largest record any version allows. */
const MAX_LENGTH = 16_384 + 2_048;

export const CONTENT_HANDSHAKE = 22;
export const CLIENT_HELLO = 1;
export const SERVER_HELLO = 2;

/** True when a handshake record at `at` begins with a hello of this type. */
export function startsHello(packet: Packet, at: number, type: number): boolean {
  const { view } = packet;
  if (packet.payloadEnd - at < RECOGNISED_LENGTH) return false;
  if (view.getUint16(at) !== ((CONTENT_HANDSHAKE << 8) | MAJOR_VERSION)) return false;
  if (view.getUint16(at + LENGTH_AT) > MAX_LENGTH) return false;
  // The message is shorter than 64 KiB: its type and the first of its three length bytes.
  if (view.getUint16(at + HEADER_LENGTH) !== type << 8) return false;
  return view.getUint8(at + HELLO_VERSION_AT) === MAJOR_VERSION;
}

/** Where the record is that may hold a hello: a second ClientHello comes behind this one (RFC 8446 §D.4). */
export function helloRecordAt(packet: Packet): number {
  const { view, payloadAt } = packet;
  if (packet.payloadEnd - payloadAt <= CHANGE_CIPHER_SPEC_LENGTH) return payloadAt;
  const first = view.getUint8(payloadAt) === CHANGE_CIPHER_SPEC;
  return first ? payloadAt + CHANGE_CIPHER_SPEC_LENGTH : payloadAt;
}

/** Where the record's first handshake message starts. */
export function messageAt(recordAt: number): number {
  return recordAt + HEADER_LENGTH;
}

/** Where that message ends as its own length says, captured or not. */
export function messageEnd(view: DataView, recordAt: number): number {
  const at = messageAt(recordAt);
  return at + HANDSHAKE_HEADER_LENGTH + (view.getInt32(at) & HANDSHAKE_LENGTH_MASK);
}

/** Where the record ends as its own length says, captured or not. */
export function recordEnd(view: DataView, recordAt: number): number {
  return messageAt(recordAt) + view.getUint16(recordAt + LENGTH_AT);
}
