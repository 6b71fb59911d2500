// SPDX-License-Identifier: AGPL-3.0-or-later
// Token streams of a real server, over real TLS, to a real client, in the time that they take.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCapture } from "../decode/captures.ts";
import { CallBench } from "../support/ai-calls.ts";
import { Authority, type Certificate } from "../support/certificates.ts";
import { RecordedTalks } from "../support/recorded-talks.ts";
import { askFor, type Reply, TokenServer } from "../support/token-streams.ts";

const ENDS = { client: "10.0.0.5", server: "198.51.100.30", port: 443 };
const folder = mkdtempSync(join(tmpdir(), "nam-streams-"));
let authority: Authority;
let certificate: Certificate;

beforeAll(() => {
  authority = new Authority(folder);
  certificate = authority.issue("model", ["DNS:localhost"]);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Streams the replies over one connection, and returns what was made of the capture. */
async function streamed(replies: readonly Reply[]): Promise<CallBench> {
  const server = await TokenServer.start(certificate);
  const recorder = await RecordedTalks.start(server.port);
  const path = join(folder, "streams.pcap");
  try {
    await askFor(replies, { port: recorder.port, ca: authority.root.cert });
    writeFileSync(path, recorder.capture(ENDS, undefined, "real"));
  } finally {
    await recorder.close();
    await server.close();
  }
  const bench = new CallBench();
  await readCapture(path, (frame) => bench.frame(frame));
  bench.finish();
  return bench;
}

const reply = (parts: Partial<Reply>): Reply => ({
  ...{ events: 60, gapMs: 30, batch: 1, seed: 1 },
  ...parts,
});

describe("token streams over real TLS", () => {
  it("are recognised, each call by itself, from the records alone", async () => {
    const bench = await streamed([reply({}), reply({ seed: 2, gapMs: 40 })]);
    expect(bench.calls.map(({ isStream }) => isStream)).toEqual([true, true]);
    for (const call of bench.calls) {
      expect(call).toMatchObject({ host: "localhost", family: "node", serverPort: 443, row: -1 });
      expect(call.upBytes).toBeGreaterThan(300);
      expect(call.downBytes).toBeGreaterThan(60 * 250);
    }
    expect(bench.windows.flatMap(({ ai_calls }) => ai_calls)).toMatchObject([
      { client: "10.0.0.5", provider: "none", server: "198.51.100.30", calls: 1, streams: 1 },
      { streams: 1 },
    ]);
  });

  it.each<[string, Partial<Reply>]>([
    ["written five at a time", { batch: 5, events: 150, gapMs: 10 }],
    ["written twenty at a time", { batch: 20, events: 200, gapMs: 8 }],
    ["shorter than a second", { events: 30, gapMs: 8 }],
    ["of few events", { events: 15, gapMs: 80 }],
  ])("are not recognised where they are %s: that is how they are evaded", async (_, parts) => {
    const { calls } = await streamed([reply(parts)]);
    expect(calls).toEqual([]);
  });
});
