// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import { add } from "../util/typed.ts";
import type { Packet } from "./packet.ts";
import {
  type ApplicationDecoder,
  type ApplicationProtocol,
  type DecodeContext,
  SETTLED,
  Stop,
  short,
} from "./protocol.ts";
import { isLongHeader, LongHeader, PacketType } from "./quic-header.ts";
import { QuicInitials, quicAssembly, quicInitials } from "./quic-initials.ts";
import { quicVersion } from "./quic-keys.ts";

const { DONE } = Stop;
const VERSION_AT = 1;
const DESTINATION_ID_LENGTH_AT = 5;
const MIN_LENGTH = 7;
const MAX_ID_LENGTH = 20;
const FORM_AND_FIXED = 0xc0;
const LONG_HEADER_FIRST_BYTES = Array.from({ length: 64 }, (_, low) => FORM_AND_FIXED | low);
/** RFC 9000, RFC 9369, and the IETF drafts `0xff0000NN`. */
const VERSION_1 = 1;
const VERSION_2 = 0x6b3343cf;
const DRAFTS = 0xff0000;
/** Long-header packets of a datagram: one of each type and then some. */
const MAX_COALESCED = 8;

/** In the order of PacketType; then packets without a type. */
const TYPES = [
  "initial",
  "zero_rtt",
  "handshake",
  "retry",
  "version_negotiation",
  "other",
] as const;
const VERSION_NEGOTIATION = 4;
const OTHER_VERSION = 5;

const longPackets: MetricDefinition = {
  name: "nam_quic_long_packets_total",
  help: "QUIC packets with a long header by type; a datagram may hold several. other: of a version whose types are not known.",
  type: "counter",
  labels: { type: TYPES },
};

/** QUIC, known by a long header with a known version (RFC 9000 §17.2), or by UDP port 443. */
export const quic: ApplicationProtocol = {
  name: "quic",
  help: "QUIC",
  layer: "application",
  ports: { udp: [443] },
  firstBytes: { udp: LONG_HEADER_FIRST_BYTES },
  metrics: [longPackets, quicInitials, quicAssembly],
  signals: [
    {
      name: "quic_initials",
      help: "QUIC Initial packets",
      metric: longPackets,
      where: { type: "initial" },
      unit: "packets",
    },
  ],
  create,
};

function recognises(packet: Packet): boolean {
  const { view, payloadAt } = packet;
  if (packet.payloadEnd - payloadAt < MIN_LENGTH) return false;
  const version = view.getInt32(payloadAt + VERSION_AT);
  if (version !== VERSION_1 && version !== VERSION_2 && version >>> 8 !== DRAFTS) return false;
  return view.getUint8(payloadAt + DESTINATION_ID_LENGTH_AT) <= MAX_ID_LENGTH;
}

function create(context: DecodeContext): ApplicationDecoder {
  const { counters } = context;
  const typeCells = context.base(longPackets);
  const initials = new QuicInitials(context);
  const header = new LongHeader();

  function decode(packet: Packet): number {
    const { payloadAt } = packet;
    // Short headers, nearly all there are, say nothing to an observer.
    if (payloadAt >= packet.payloadEnd || !isLongHeader(packet.view.getUint8(payloadAt)))
      return SETTLED;
    return datagram(packet);
  }

  /** Several packets may share a datagram (RFC 9000 §12.2). */
  function datagram(packet: Packet): number {
    const { view, payloadEnd } = packet;
    let at = packet.payloadAt;
    for (let count = 0; count < MAX_COALESCED && at < payloadEnd; count++) {
      if (!isLongHeader(view.getUint8(at))) return DONE;
      if (!header.read(view, at, payloadEnd)) return isKnown(at, packet) ? short(packet) : DONE;
      const version = quicVersion(header.version);
      if (version === undefined) {
        const type = header.version === 0 ? VERSION_NEGOTIATION : OTHER_VERSION;
        add(counters, typeCells + type, 1);
        return DONE;
      }
      if (!header.readBody(view, payloadEnd, version)) return short(packet);
      add(counters, typeCells + header.type, 1);
      if (header.type === PacketType.RETRY) initials.retry(packet, header);
      if (header.type === PacketType.INITIAL) {
        const stop = initials.initial(packet, header, at, version);
        if (stop !== DONE) return stop;
      }
      at = header.packetEnd;
    }
    return DONE;
  }

  const { clientHellos, serverHellos } = initials;
  return {
    recognises,
    decode,
    facts: { hello: clientHellos.facts, serverHello: serverHellos.facts },
  };
}

/** True where the version says that a header too short is QUIC's, and not something else on its port. */
function isKnown(at: number, { view, payloadEnd }: Packet): boolean {
  return at + MIN_LENGTH <= payloadEnd && quicVersion(view.getInt32(at + VERSION_AT)) !== undefined;
}
