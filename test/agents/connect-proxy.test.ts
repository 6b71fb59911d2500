// SPDX-License-Identifier: AGPL-3.0-or-later
// A real curl that reaches a provider through a real proxy: its User-Agent stands in the CONNECT, its hello behind it.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { Replay } from "../../src/replay.ts";
import type { Report } from "../../src/report.ts";
import { createLog } from "../../src/util/log.ts";
import { Authority } from "../support/certificates.ts";
import { RecordedTalks } from "../support/recorded-talks.ts";
import { hasTool } from "../support/tool.ts";

const CHROME =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";
const ENDS = { client: "10.0.0.5", server: "10.0.0.3", port: 3128 };
/** Slow enough for the first visit to take more than the second that is learned. */
const PACE_US = 100_000;
const REPLY = "a".repeat(4000);

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "nam-proxy-"));
const provider = https.createServer((_request, response) => response.end(REPLY));
const proxy = http.createServer();

beforeAll(async () => {
  const { cert, key } = new Authority(folder).issue("provider", ["DNS:api.openai.com"]);
  provider.setSecureContext({ cert, key });
  await listening(provider);
  proxy.on("connect", (_request, client: net.Socket) => {
    const server = net.connect((provider.address() as AddressInfo).port, "127.0.0.1");
    client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    client.pipe(server).pipe(client);
    client.on("error", () => server.destroy());
    server.on("error", () => client.destroy());
  });
  await listening(proxy);
});

afterAll(() => {
  proxy.close();
  provider.close();
  rmSync(folder, { recursive: true });
});

function listening(server: net.Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
}

/** What is reported of visits to the provider, one after the other, with these User-Agents; null is curl's own. */
async function reportOf(agents: readonly (string | null)[]): Promise<Report> {
  const recorder = await RecordedTalks.start((proxy.address() as AddressInfo).port);
  const path = join(folder, "visits.pcap");
  try {
    for (const agent of agents) {
      const { stdout } = await run("curl", [
        ...["--silent", "--show-error", "--insecure", "--max-time", "10"],
        ...["--proxy", `http://127.0.0.1:${recorder.port}`],
        ...(agent === null ? [] : ["--user-agent", agent]),
        "https://api.openai.com/v1/models",
      ]);
      expect(stdout).toBe(REPLY);
    }
    writeFileSync(path, recorder.capture(ENDS, undefined, PACE_US));
  } finally {
    await recorder.close();
  }
  const { config } = loadConfig({ env: {}, flags: [] });
  const replay = new Replay({
    detect: { ...config.detectors, ai_fingerprint: { learn_seconds: 1 } },
    ...{ home: config.networks.home, agent: "test", flowCapacity: 4096, top: 10, speed: null },
    log: createLog({ level: "silent", format: "json" }),
  });
  return (await replay.run([path])).report;
}

describe.skipIf(!hasTool("curl") || !hasTool("openssl"))("curl behind a proxy", () => {
  it("contradicts itself where it says that it is a browser", async () => {
    const report = await reportOf([null, CHROME, CHROME, CHROME]);
    const told = report.events.filter(({ detector }) => detector === "ai_fingerprint");
    expect(told.filter(({ state }) => state === "open")).toMatchObject([
      {
        severity: "warning",
        observed: 3,
        entity: { key: "10.0.0.5 openai curl as chromium", source: "10.0.0.5" },
      },
    ]);
  });

  it("does not where it says what it is", async () => {
    const { ai, events } = await reportOf([null, null, null, null, null]);
    expect(ai.providers).toMatchObject([{ provider: "openai" }]);
    expect(events.filter(({ detector }) => detector === "ai_fingerprint")).toEqual([]);
  });
});
