// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import { add } from "../util/typed.ts";
import type { Packet } from "./packet.ts";
import { type ApplicationProtocol, type DecodeContext, Stop } from "./protocol.ts";
import { TCP_NUMBER } from "./tcp.ts";
import { ascii, startsWith } from "./text-line.ts";

/** TPKT version 3 (RFC 1006 §6) and its length; then X.224: length of its header, and its code. */
const TPKT_VERSION = 0x0300;
const LENGTH_AT = 2;
const X224_AT = 4;
const CODE_AT = 5;
const VARIABLE_AT = 11;
const REQUEST = 0xe0;
const CONFIRM = 0xd0;
const SIDES = ["request", "confirm"];
/** MS-RDPBCGR §2.2.1.1: what tells RDP from others that use X.224. */
const COOKIE = ascii("COOKIE: MSTS");
const NEGOTIATION_LENGTH = 8;
const NEGOTIATION_TYPE_MAX = 3;

const connections: MetricDefinition = {
  name: "nam_rdp_connections_total",
  help: "Connections to Remote Desktop over TCP: asked for by the client, and confirmed by the server.",
  type: "counter",
  labels: { kind: SIDES },
};

/** Remote Desktop (MS-RDPBCGR, MS-RDPEUDP), known by its X.224 connection request or confirm, until TLS takes over. */
export const rdp: ApplicationProtocol = {
  name: "rdp",
  help: "Remote Desktop",
  layer: "application",
  ports: { tcp: [3389], udp: [3389] },
  firstBytes: { tcp: [TPKT_VERSION >>> 8] },
  givesWayTo: ["tls"],
  metrics: [connections],
  create: (context) => ({ recognises, decode: decoder(context) }),
};

function decoder(context: DecodeContext): (packet: Packet) => number {
  const { counters } = context;
  const base = context.base(connections);
  return (packet) => {
    const code = packet.ipProtocol === TCP_NUMBER ? codeOf(packet) : 0;
    if (code === REQUEST) add(counters, base, 1);
    else if (code === CONFIRM) add(counters, base + 1, 1);
    return Stop.DONE;
  };
}

function recognises(packet: Packet): boolean {
  return codeOf(packet) !== 0 && holdsNegotiation(packet);
}

/** The X.224 code of a request or confirm that fills the payload, 0 for anything else. */
function codeOf({ view, payloadAt, payloadEnd, payloadLength }: Packet): number {
  if (payloadEnd - payloadAt < VARIABLE_AT) return 0;
  if (view.getUint16(payloadAt) !== TPKT_VERSION) return 0;
  if (view.getUint16(payloadAt + LENGTH_AT) !== payloadLength) return 0;
  if (view.getUint8(payloadAt + X224_AT) !== payloadLength - CODE_AT) return 0;
  const code = view.getUint8(payloadAt + CODE_AT);
  return code === REQUEST || code === CONFIRM ? code : 0;
}

/** A cookie, or at the end a negotiation request, response or failure: type, flags, length in little endian. */
function holdsNegotiation({ view, payloadAt, payloadEnd }: Packet): boolean {
  if (startsWith(view, payloadAt + VARIABLE_AT, payloadEnd, COOKIE)) return true;
  const at = payloadEnd - NEGOTIATION_LENGTH;
  if (at < payloadAt + VARIABLE_AT) return false;
  const type = view.getUint8(at);
  if (type === 0 || type > NEGOTIATION_TYPE_MAX) return false;
  return view.getUint16(at + 2, true) === NEGOTIATION_LENGTH;
}
