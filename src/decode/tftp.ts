// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import type { ApplicationProtocol } from "./protocol.ts";
import { ascii, startsWith } from "./text-line.ts";

/** RFC 1350 §5: read request, write request. */
const READ = 1;
const WRITE = 2;
const NAME_AT = 2;
const NAME_MAX = 255;
const PRINTABLE_MIN = 0x20;
const MODES = [ascii("OCTET"), ascii("NETASCII"), ascii("MAIL")];

/**
 * TFTP (RFC 1350), known by its requests, or by port. The transfer itself goes on between ports that the request does
 * not name, and is counted as `other`.
 */
export const tftp: ApplicationProtocol = {
  name: "tftp",
  help: "TFTP",
  layer: "application",
  ports: { udp: [69] },
  firstBytes: { udp: [0] },
  create: () => ({ recognises }),
};

function recognises({ view, payloadAt, payloadEnd }: Packet): boolean {
  if (payloadEnd - payloadAt < NAME_AT + 2) return false;
  const operation = view.getUint16(payloadAt);
  if (operation !== READ && operation !== WRITE) return false;
  const modeAt = behindName(view, payloadAt + NAME_AT, payloadEnd);
  if (modeAt < 0) return false;
  for (let i = 0; i < MODES.length; i++) {
    const mode = MODES[i] as Uint8Array;
    const end = modeAt + mode.length;
    if (end < payloadEnd && startsWith(view, modeAt, payloadEnd, mode))
      return view.getUint8(end) === 0;
  }
  return false;
}

/** Offset behind the zero that ends a name of printable characters, -1 without one. */
function behindName(view: DataView, from: number, end: number): number {
  const last = Math.min(end, from + NAME_MAX);
  for (let at = from; at < last; at++) {
    const byte = view.getUint8(at);
    if (byte === 0) return at > from ? at + 1 : -1;
    if (byte < PRINTABLE_MIN) return -1;
  }
  return -1;
}
