// SPDX-License-Identifier: AGPL-3.0-or-later

import type { MetricDefinition } from "../metrics/metric.ts";
import { assemblyMetric } from "./assembly.ts";
import { DtlsHandshakes } from "./dtls-handshakes.ts";
import type { Packet } from "./packet.ts";
import {
  type ApplicationDecoder,
  type ApplicationProtocol,
  type DecodeContext,
  Stop,
  short,
} from "./protocol.ts";

const { DONE } = Stop;
/** Record header (RFC 6347 §4.1): type, version, epoch, sequence number, length. */
const VERSION_AT = 1;
const EPOCH_AT = 3;
const LENGTH_AT = 11;
const HEADER_LENGTH = 13;
/** RFC 9147 §4: change cipher spec, alert, handshake, application data. */
const CONTENT_TYPES = [20, 21, 22, 23] as const;
const CONTENT_HANDSHAKE = 22;
const DTLS_1_0 = 0xfeff;
const DTLS_1_2 = 0xfefd;

const dtlsAssembly: MetricDefinition = assemblyMetric("dtls", "Hellos");

/** DTLS 1.0 and 1.2, and the handshake of 1.3 (RFC 6347, RFC 9147), known by a whole record header. */
export const dtls: ApplicationProtocol = {
  name: "dtls",
  help: "DTLS",
  layer: "application",
  ports: {},
  firstBytes: { udp: CONTENT_TYPES },
  metrics: [dtlsAssembly],
  create,
};

function recognises(packet: Packet): boolean {
  const { view, payloadAt } = packet;
  if (packet.payloadEnd - payloadAt < HEADER_LENGTH) return false;
  const version = view.getUint16(payloadAt + VERSION_AT);
  if (version !== DTLS_1_0 && version !== DTLS_1_2) return false;
  return view.getUint16(payloadAt + LENGTH_AT) <= packet.payloadLength - HEADER_LENGTH;
}

function create(context: DecodeContext): ApplicationDecoder {
  const handshakes = new DtlsHandshakes(context, dtlsAssembly);

  /** Reads the handshake records in clear text (epoch 0) that come first in a datagram. */
  function decode(packet: Packet): number {
    const { view, payloadEnd } = packet;
    let at = packet.payloadAt;
    while (at < payloadEnd && view.getUint8(at) === CONTENT_HANDSHAKE) {
      if (payloadEnd - at < HEADER_LENGTH) return short(packet);
      if (view.getUint16(at + EPOCH_AT) !== 0) return DONE;
      const bodyAt = at + HEADER_LENGTH;
      at = bodyAt + view.getUint16(bodyAt - 2);
      if (at > payloadEnd) return short(packet);
      const stop = handshakes.record(packet, bodyAt, at);
      if (stop !== DONE) return stop;
    }
    return DONE;
  }

  const { clientHellos, serverHellos } = handshakes;
  return {
    recognises,
    decode,
    facts: { hello: clientHellos.facts, serverHello: serverHellos.facts },
  };
}
