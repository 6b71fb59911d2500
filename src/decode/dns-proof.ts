// SPDX-License-Identifier: AGPL-3.0-or-later
// What makes bytes between any two ports DNS: a whole, ordinary message that ends where its last record ends.
import { DNS_HEADER_LENGTH } from "./dns-message.ts";
import { skipName } from "./dns-name.ts";
import type { Packet } from "./packet.ts";

const FLAGS_AT = 2;
const COUNTS_AT = 4;
const SHORTEST_QUESTION = 5;
/** One question and no answer or authority: first two of the four counts, and the third. */
const ONE_QUESTION = 0x0001_0000;
const RESPONSE = 0x8000;
/** Opcode and reserved bit are 0 in ordinary traffic; a query has nothing to say in AA, TC, RA and the code either. */
const NEVER_SET = 0x7840;
const NOT_IN_QUERIES = 0x068f;
const HIGHEST_RCODE = 10;
/** A query may add EDNS and a signature; no server sends so many records by itself. */
const MOST_EXTRAS = 2;
const MOST_RECORDS = 512;
const RECORD_TAIL = 10;
const FIRST_PRINTABLE = 0x21;
const LAST_PRINTABLE = 0x7e;
const INTERNET = 1;
const ANY_CLASS = 255;
const HIGHEST_TYPE = 65;
const CHAOS = 3;
/** Types above those in a row that are in use: 249 to 257, IANA. */
const FIRST_META_TYPE = 249;
const LAST_META_TYPE = 257;

/** Ports of protocols with messages of the same form: mDNS, LLMNR, NetBIOS names. */
const MDNS_PORT = 5353;
const LLMNR_PORT = 5355;
const NETBIOS_PORT = 137;

/** True when the datagram is one whole DNS message. */
export function provesDns(packet: Packet): boolean {
  const { view, payloadAt, payloadEnd, sourcePort, destinationPort } = packet;
  return isMessage(view, payloadAt, payloadEnd) && isFree(sourcePort) && isFree(destinationPort);
}

/** True when the segment begins with one whole DNS message behind its length. */
export function provesDnsOverTcp(packet: Packet): boolean {
  const { view, payloadAt, payloadEnd, sourcePort, destinationPort } = packet;
  if (payloadEnd - payloadAt < 2 + DNS_HEADER_LENGTH + SHORTEST_QUESTION) return false;
  const end = payloadAt + 2 + view.getUint16(payloadAt);
  return (
    end <= payloadEnd &&
    isMessage(view, payloadAt + 2, end) &&
    isFree(sourcePort) &&
    isFree(destinationPort)
  );
}

function isFree(port: number): boolean {
  return port !== MDNS_PORT && port !== LLMNR_PORT && port !== NETBIOS_PORT;
}

function isMessage(view: DataView, at: number, end: number): boolean {
  if (end - at < DNS_HEADER_LENGTH + SHORTEST_QUESTION) return false;
  const counts = view.getInt32(at + COUNTS_AT);
  if (counts >>> 16 !== 1) return false;
  const flags = view.getUint16(at + FLAGS_AT);
  if ((flags & NEVER_SET) !== 0 || (flags & 15) > HIGHEST_RCODE) return false;
  const rest = view.getInt32(at + COUNTS_AT + 4);
  const isQuery = (flags & RESPONSE) === 0;
  if (isQuery) {
    if ((flags & NOT_IN_QUERIES) !== 0 || counts !== ONE_QUESTION) return false;
    if (rest < 0 || rest > MOST_EXTRAS) return false;
  }
  const records = (counts & 0xffff) + (rest >>> 16) + (rest & 0xffff);
  if (records > MOST_RECORDS) return false;
  const next = questionEnd(view, at + DNS_HEADER_LENGTH, end);
  return next >= 0 && recordsEnd(view, next, end, records) === end;
}

/** Offset behind an ordinary question: printable labels, a type and a class in use; -1 for any other. */
function questionEnd(view: DataView, at: number, end: number): number {
  const tail = skipName(view, at, end);
  if (tail < 0 || tail + 4 > end) return -1;
  let label = at;
  while (label < tail - 1) {
    const next = label + 1 + view.getUint8(label);
    // A pointer has nothing to point to before the first name.
    if (next > tail) return -1;
    for (let i = label + 1; i < next; i++) {
      const byte = view.getUint8(i);
      if (byte < FIRST_PRINTABLE || byte > LAST_PRINTABLE) return -1;
    }
    label = next;
  }
  const type = view.getUint16(tail);
  const isKnown =
    (type >= 1 && type <= HIGHEST_TYPE) || (type >= FIRST_META_TYPE && type <= LAST_META_TYPE);
  const queryClass = view.getUint16(tail + 2);
  const isInUse = queryClass === INTERNET || queryClass === CHAOS || queryClass === ANY_CLASS;
  return isKnown && isInUse ? tail + 4 : -1;
}

function recordsEnd(view: DataView, at: number, end: number, records: number): number {
  let next = at;
  for (let left = records; left > 0; left--) {
    const tail = skipName(view, next, end);
    if (tail < 0 || tail + RECORD_TAIL > end) return -1;
    next = tail + RECORD_TAIL + view.getUint16(tail + 8);
  }
  return next;
}
