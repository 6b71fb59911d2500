// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import { add } from "../util/typed.ts";
import { contentAt, contentLength, nextAt } from "./ber.ts";
import type { Packet } from "./packet.ts";
import {
  type ApplicationDecoder,
  type ApplicationProtocol,
  type DecodeContext,
  Stop,
} from "./protocol.ts";

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const OCTET_STRING = 0x04;
/** Tags of PDUs, GetRequest to Report (RFC 3416 §3). */
const FIRST_PDU = 0xa0;
const LAST_PDU = 0xa8;
/** Versions on the wire (RFC 1157, RFC 1901, RFC 3412), and their label values. */
const VERSION_1 = 0;
const VERSION_2C = 1;
const VERSION_3 = 3;
const VERSIONS = ["1", "2c", "3"];

const messages: MetricDefinition = {
  name: "nam_snmp_messages_total",
  help: "SNMP messages by version.",
  type: "counter",
  labels: { version: VERSIONS },
};

/** SNMP (RFC 3411), traps included: known by version, community and PDU, or by port. The community is never kept. */
export const snmp: ApplicationProtocol = {
  name: "snmp",
  help: "SNMP",
  layer: "application",
  ports: { tcp: [161, 162], udp: [161, 162] },
  firstBytes: { udp: [SEQUENCE] },
  metrics: [messages],
  create,
};

function create(context: DecodeContext): ApplicationDecoder {
  const { counters } = context;
  const base = context.base(messages);

  function decode(packet: Packet): number {
    const version = versionOf(packet);
    if (version === VERSION_3) add(counters, base + 2, 1);
    else if (version >= 0) add(counters, base + version, 1);
    else if (packet.cut) return Stop.TRUNCATED;
    return Stop.DONE;
  }

  return { recognises: (packet) => versionOf(packet) >= 0, decode };
}

/** The version of a message whose frame is that of SNMP, -1 for anything else. */
function versionOf({ view, payloadAt, payloadEnd, payloadLength }: Packet): number {
  const versionAt = contentAt(view, payloadAt, payloadEnd);
  if (versionAt < 0 || view.getUint8(payloadAt) !== SEQUENCE || payloadEnd - versionAt < 5)
    return -1;
  if (versionAt + contentLength(view, payloadAt) !== payloadAt + payloadLength) return -1;
  if (view.getUint16(versionAt) !== ((INTEGER << 8) | 1)) return -1;
  const version = view.getUint8(versionAt + 2);
  const restAt = versionAt + 3;
  const rest = view.getUint8(restAt);
  if (version === VERSION_3) return rest === SEQUENCE ? version : -1;
  if ((version !== VERSION_1 && version !== VERSION_2C) || rest !== OCTET_STRING) return -1;
  const pduAt = nextAt(view, restAt, payloadEnd);
  if (pduAt < 0) return -1;
  const pdu = view.getUint8(pduAt);
  return pdu >= FIRST_PDU && pdu <= LAST_PDU ? version : -1;
}
