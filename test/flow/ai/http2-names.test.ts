// SPDX-License-Identifier: AGPL-3.0-or-later
// HTTP/2 in clear text, from bytes that a real client and server said to each other to what a sensor tells of them.
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { applicationFamily } from "../../../src/decode/families.ts";
import { aiFlows } from "../../../src/flow/ai/metrics.ts";
import { aiNames } from "../../../src/flow/ai/settings.ts";
import { createSensorLayouts } from "../../../src/sensor-metrics.ts";
import { root } from "../../support/project.ts";
import { windowsOf } from "../../support/windows-of.ts";

/** One connection to port 8080: eight requests, most for `intranet.example:8080`, the seventh for `other.example`. */
const CAPTURE = join(root, "test/fixtures/pcap/http2.pcap");

/** What a sensor tells where the operator says that this name is a provider's. */
async function told(name: string) {
  const provider = { provider: "corp", category: "llm_api", exact: [name] };
  const windows = await windowsOf(CAPTURE, aiNames.parse({ providers: [provider] }));
  const { counters: layout } = createSensorLayouts();
  const sum = (slot: number): number =>
    windows.reduce((all, { counters }) => all + (counters[slot] ?? 0), 0);
  const flows = layout.series(aiFlows).filter(({ slot }) => sum(slot) > 0);
  return {
    flows: flows.map(({ labels, slot }) => ({ ...labels, count: sum(slot) })),
    packets: layout
      .slots(applicationFamily.packets, { protocol: "http2" })
      .reduce((all, slot) => all + sum(slot), 0),
    pairs: windows.flatMap(({ rows }) => rows.pairs),
    applications: windows.flatMap(({ rows }) => rows.applications),
    aiFlows: windows.flatMap(({ rows }) => rows.ai_flows),
  };
}

describe("HTTP/2 in clear text", () => {
  it("names its flow by the host of the first request, without its port", async () => {
    const { flows, aiFlows: rows } = await told("intranet.example");
    expect(flows).toEqual([
      { provider: "other", category: "llm_api", evidence: "http_host", count: 1 },
    ]);
    expect(rows).toMatchObject([{ client: "10.20.0.11", provider: "corp", flows: 1 }]);
  });

  it("does not name it by the host of a later one", async () => {
    const { flows } = await told("other.example");
    expect(flows).toEqual([
      { provider: "none", category: "none", evidence: "http_host", count: 1 },
    ]);
  });

  it("counts as what it is, and its requests with those of the pair", async () => {
    const { packets, pairs, applications } = await told("other.example");
    const server = { server: "10.20.0.22", port: 8080 };
    expect(packets).toBe(19);
    expect(pairs).toMatchObject([{ ...server, client: "10.20.0.11", connections: 1, requests: 8 }]);
    expect(applications).toMatchObject([{ ...server, application: "http2", flows: 1 }]);
  });
});
