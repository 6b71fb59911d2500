// SPDX-License-Identifier: AGPL-3.0-or-later
import { join } from "node:path";
import { expect } from "vitest";
import { hasTool } from "../support/tool.ts";
import { askCounts, askFields } from "./ask-tshark.ts";
import { lowerCase, total } from "./counts.ts";
import type { Counts, Decoding } from "./decoding.ts";
import type { Reference } from "./reference.ts";

const HAS_TSHARK = hasTool("tshark");

/** Captures whose handshakes are asked for anew, and why. */
const HANDSHAKES_ASKED_AGAIN: Readonly<
  Record<string, { ask: (path: string) => Partial<Handshakes>; why: string }>
> = {
  "captures/zeek/tls__hrr.pcap": {
    why: "tshark reads the second ServerHello, whose segment comes after the one behind it, only when told to wait for it",
    ask: (path) => {
      const options = ["-o", "tcp.reassemble_out_of_order:TRUE"];
      const ja3s = askCounts(path, options, "tls.handshake.type == 2", "tls.handshake.ja3s");
      return { ja3s, serverHellos: total(ja3s) };
    },
  },
  "captures/zeek/tls__dtls1_2.pcap": {
    why: "the stored answer counts each frame that holds a fragment of a hello",
    ask: (path) => {
      const isFirst = "dtls.handshake.type == 1 && dtls.handshake.fragment_offset == 0";
      return { dtlsHellos: askFields(path, [], isFirst, ["frame.number"]).length };
    },
  },
};

/** What handshakes of TLS, QUIC, DTLS and SSH tell: each value with how often it was seen. */
interface Handshakes {
  readonly sni: Counts;
  readonly quicSni: Counts;
  readonly ja3: Counts;
  readonly ja3s: Counts;
  readonly ja4: Counts;
  readonly hassh: Counts;
  readonly hasshServer: Counts;
  readonly clientHellos: number;
  readonly serverHellos: number;
  readonly dtlsHellos: number;
}

export function handshakesFound(decoding: Decoding): Handshakes {
  const count = (name: string, transport: string) => decoding.value(name, { transport });
  const overStreams = (name: string) => count(name, "tcp") + count(name, "quic");
  return {
    sni: decoding.tally("tls.sni"),
    quicSni: decoding.tally("quic.sni"),
    ja3: decoding.tally("tls.ja3"),
    ja3s: decoding.tally("tls.ja3s"),
    ja4: { ...decoding.tally("tls.ja4"), ...decoding.tally("quic.ja4") },
    hassh: decoding.tally("ssh.hassh"),
    hasshServer: decoding.tally("ssh.hassh_server"),
    clientHellos: overStreams("nam_tls_hellos_total"),
    serverHellos: overStreams("nam_tls_server_hellos_total"),
    dtlsHellos: count("nam_tls_hellos_total", "dtls"),
  };
}

function handshakesExpected({ answer, fingerprints }: Reference): Handshakes {
  const { tls, quic, dtls } = answer;
  return {
    sni: lowerCase(tls.sni),
    quicSni: lowerCase(quic.sni),
    ja3: tls.ja3,
    ja3s: tls.ja3s,
    ja4: fingerprints.ja4,
    hassh: fingerprints.hassh,
    hasshServer: fingerprints.hassh_server,
    clientHellos: tls.client_hellos,
    serverHellos: tls.server_hellos,
    dtlsHellos: dtls.client_hellos,
  };
}

/** Handshakes, their names and fingerprints, in a capture below `root`. */
export function expectHandshakes(
  capture: string,
  root: string,
  decoding: Decoding,
  reference: Reference,
): void {
  const again = HANDSHAKES_ASKED_AGAIN[capture];
  if (again !== undefined && !HAS_TSHARK) return;
  const expected = { ...handshakesExpected(reference), ...again?.ask(join(root, capture)) };
  expect(handshakesFound(decoding)).toEqual(expected);
}
