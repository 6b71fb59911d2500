// SPDX-License-Identifier: AGPL-3.0-or-later
import { certificateMetrics, certificateSignals } from "./certificate-notes.ts";
import { clientHelloMetrics, clientHelloSignals } from "./client-hello-metrics.ts";
import type { Packet } from "./packet.ts";
import type { ApplicationDecoder, ApplicationProtocol, DecodeContext } from "./protocol.ts";
import { serverHelloMetrics, serverHelloSignals } from "./server-hello-notes.ts";
import { SSL2_FIRST_BYTE, ssl2VersionAt } from "./ssl2-hello.ts";
import { CHANGE_CIPHER_SPEC, CONTENT_HANDSHAKE, helloTypeAt } from "./tls-record.ts";
import { TlsStreams, tlsAssembly } from "./tls-streams.ts";

/** TLS 1.0 to 1.3 on any port, and SSL 3 and the compatible hello of SSL 2: known by the hello of either side. */
export const tls: ApplicationProtocol = {
  name: "tls",
  help: "TLS",
  layer: "application",
  ports: { tcp: [443, 465, 636, 853, 989, 990, 993, 995, 5061, 8443, 8883] },
  firstBytes: { tcp: [CONTENT_HANDSHAKE, CHANGE_CIPHER_SPEC, SSL2_FIRST_BYTE] },
  metrics: [...clientHelloMetrics, ...serverHelloMetrics, ...certificateMetrics, tlsAssembly],
  signals: [...clientHelloSignals, ...serverHelloSignals, ...certificateSignals],
  create,
};

function create(context: DecodeContext): ApplicationDecoder {
  const streams = new TlsStreams(context);
  return {
    recognises,
    gathers: (packet) => streams.gathers(packet),
    decode: (packet) => streams.decode(packet),
    facts: {
      hello: streams.clientHellos.facts,
      serverHello: streams.serverHellos.facts,
      certificate: streams.certificates.facts,
    },
  };
}

function recognises({ view, payloadAt, payloadEnd }: Packet): boolean {
  if (helloTypeAt(view, payloadAt, payloadEnd) !== 0) return true;
  return ssl2VersionAt(view, payloadAt, payloadEnd) >= 0;
}
