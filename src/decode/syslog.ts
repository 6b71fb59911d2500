// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import type { ApplicationProtocol } from "./protocol.ts";
import { isDigit } from "./text-line.ts";

const OPEN = 0x3c;
const CLOSE = 0x3e;
const SPACE = 0x20;
const ONE = 0x31;
const ZERO = 0x30;
const PRIORITY_DIGITS_MAX = 3;
/** Facility 23, severity 7. */
const PRIORITY_MAX = 191;
/** `<0>1 -` or `<0>Jan 1`. */
const MIN_LENGTH = 8;

/** Syslog over UDP (RFC 5426) and TCP (RFC 6587), known by a priority before a version or a month, or by port. */
export const syslog: ApplicationProtocol = {
  name: "syslog",
  help: "Syslog",
  layer: "application",
  ports: { tcp: [601], udp: [514] },
  firstBytes: { tcp: [OPEN], udp: [OPEN] },
  create: () => ({ recognises }),
};

function recognises({ view, payloadAt, payloadEnd }: Packet): boolean {
  if (payloadEnd - payloadAt < MIN_LENGTH) return false;
  let at = payloadAt + 1;
  let priority = 0;
  for (; at <= payloadAt + PRIORITY_DIGITS_MAX && isDigit(view.getUint8(at)); at++) {
    priority = priority * 10 + view.getUint8(at) - ZERO;
  }
  if (at === payloadAt + 1 || priority > PRIORITY_MAX || view.getUint8(at) !== CLOSE) return false;
  const first = view.getUint8(at + 1);
  if (first === ONE) return view.getUint8(at + 2) === SPACE;
  return payloadEnd - at > 4 && isMonth(view, at + 1) && view.getUint8(at + 4) === SPACE;
}

/** A capital and two small letters (RFC 3164 §4.1.2). */
function isMonth(view: DataView, at: number): boolean {
  const letters = (view.getUint8(at) << 16) | view.getUint16(at + 1);
  return (letters & 0xe0e0e0) === 0x406060;
}
