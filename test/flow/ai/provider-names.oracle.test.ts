// SPDX-License-Identifier: AGPL-3.0-or-later
// No shared capture names an AI provider. What if the names in them were one's? Then as many flows are found as tshark
// finds connections with such a name, each by the same evidence.
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { aiFlows } from "../../../src/flow/ai/metrics.ts";
import { aiNames } from "../../../src/flow/ai/settings.ts";
import { createSensorLayouts } from "../../../src/sensor-metrics.ts";
import { askFields } from "../../decode/ask-tshark.ts";
import type { Counts } from "../../decode/decoding.ts";
import { sharedData } from "../../support/shared-data.ts";
import { hasTool } from "../../support/tool.ts";
import { windowsOf } from "../../support/windows-of.ts";

/** One or more for each evidence, and of what is difficult: hellos in pieces, tunnels, tags, a proxy, many clients. */
const CAPTURES = [
  "attacks/benign_mixed_75s.pcap",
  "captures/arkime/http-wrapped-header.pcap",
  "captures/arkime/no-syn-ack.pcap",
  "captures/arkime/socks5-http-302.pcap",
  "captures/arkime/tls-split-client-hello.pcap",
  "captures/arkime/twovlan.pcap",
  "captures/mercury/sll2_tls.pcap",
  "captures/mercury/top_100_fingerprints.pcap",
  "captures/pcapplusplus/MplsPackets.pcap",
  "captures/pcapplusplus/example2.pcap",
  "captures/suricata-verify/ja4-quic__input.pcap",
  "captures/zeek/http__pipelined-requests.pcap",
  "captures/zeek/pppoe-over-qinq.pcap",
  "captures/zeek/quic__chromium-115.0.5790.110-google-de-fragmented.pcap",
  "captures/zeek/tls__chrome-1250-tls-x25519-kyber.pcap",
  "captures/zeek/tunnels__Teredo.pcap",
];

const FIELDS = ["tcp.stream", "udp.stream", "tls.handshake.extensions_server_name", "http.host"];

interface Named {
  readonly evidence: string;
  readonly stream: string;
  readonly name: string;
}

/** First name of each connection that tshark finds, where it is the name of a host. */
function namedByTshark(path: string): Named[] {
  const filter = "tls.handshake.extensions_server_name || (http.host && tcp)";
  const named = new Map<string, Named>();
  for (const values of askFields(path, ["-n"], filter, FIELDS)) {
    const [tcp, udp, sni, host] = values.map(([first]) => first);
    const stream = tcp === undefined ? `udp ${udp}` : `tcp ${tcp}`;
    const evidence = sni === undefined ? "http_host" : tcp === undefined ? "quic_sni" : "sni";
    const name = String(sni ?? host).replace(/:\d+$/, "");
    if (isHostName(name) && !named.has(stream)) named.set(stream, { evidence, stream, name });
  }
  return [...named.values()];
}

function settingsWith(names: readonly string[]) {
  return { providers: [{ provider: "corp", category: "gateway", exact: names }] };
}

function isHostName(name: string): boolean {
  return aiNames.safeParse(settingsWith([name])).success;
}

/** Flows by evidence to a provider whose names these are. */
async function flowsTo(names: readonly string[], path: string): Promise<Counts> {
  const { counters: layout } = createSensorLayouts();
  const counts: Counts = {};
  for (const { counters } of await windowsOf(path, aiNames.parse(settingsWith(names)))) {
    for (const { labels, slot } of layout.series(aiFlows)) {
      const count = counters[slot] ?? 0;
      const { provider, evidence = "" } = labels;
      if (count > 0 && provider !== "none") counts[evidence] = (counts[evidence] ?? 0) + count;
    }
  }
  return counts;
}

const folder = sharedData();

describe.skipIf(folder === null || !hasTool("tshark"))("flows to a provider", () => {
  it.each(CAPTURES)("are found in %s where tshark finds its names", async (capture) => {
    const path = join(folder ?? "", capture);
    const named = namedByTshark(path);
    const wanted: Counts = {};
    for (const { evidence } of named) wanted[evidence] = (wanted[evidence] ?? 0) + 1;
    const found = await flowsTo([...new Set(named.map(({ name }) => name))], path);
    expect(found).toEqual(wanted);
    expect(named.length).toBeGreaterThan(0);
  });
});
