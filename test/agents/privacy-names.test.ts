// SPDX-License-Identifier: AGPL-3.0-or-later
// Names of hosts are what a passive monitor lives of. Here is where each may stand, and that it stands nowhere else.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dnsAnswer, dnsQuery, httpGet, httpOk } from "../../scripts/fixtures/messages.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Window } from "../../src/flow/window.ts";
import { Replay } from "../../src/replay.ts";
import type { Report } from "../../src/report.ts";
import { ethernet, frameOf, ipv4, udp } from "../decode/frames.ts";
import { alertOf } from "../support/anomalies.ts";
import { placesOf, tracesIn } from "../support/canaries.ts";
import { messagesOf } from "../support/channel-messages.ts";
import { QuicTalk, TlsTalk } from "../support/encrypted-talk.ts";
import { type FrameTaker, TalkClock, TcpTalk } from "../support/talk.ts";
import { makeWindow } from "../support/windows.ts";
import { windowsOf } from "../support/windows-of.ts";
import { WrittenCapture } from "../support/written-capture.ts";

/** A tenant of a provider, a model that nobody listed, where data goes, a tunnel's data, a host in clear text, a protocol. */
const TENANT = "canary-tenant-77aa.openai.azure.com";
const MODEL = "canary-model-90ab.models.example";
const DROP = "canary-drop-3c3c.evil.example";
const TUNNEL = "tunnel.example";
const HOST = "canary-host-1212.shop.example";
const ALPN = "canary-alpn-4545";
const CLIENT = "10.0.0.5";
const RESOLVER = "10.0.0.53";
const QUESTIONER = 5400;
const A = 1;

const folder = mkdtempSync(join(tmpdir(), "nam-names-"));
const capture = join(folder, "names.pcap");
const logLines: string[] = [];
const log = pino({ level: "trace" }, { write: (line: string) => void logLines.push(line) });
let windows: Window[];
let replay: Replay;
let report: Report;

/** A question to DNS, and its answer. */
function ask(to: FrameTaker, clock: TalkClock, name: string, address: string): void {
  const query = dnsQuery(7, name, A);
  const answer = dnsAnswer(query, [{ type: A, data: address }]);
  packet(to, clock, udp({ sourcePort: QUESTIONER, destinationPort: 53, payload: query }), 17, true);
  packet(
    to,
    clock,
    udp({ sourcePort: 53, destinationPort: QUESTIONER, payload: answer }),
    17,
    false,
  );
}

function packet(
  to: FrameTaker,
  clock: TalkClock,
  payload: Uint8Array,
  protocol: number,
  isUp: boolean,
): void {
  const ends = isUp
    ? { source: CLIENT, destination: RESOLVER }
    : { source: RESOLVER, destination: CLIENT };
  const seconds = 1_790_000_000 + Math.floor(clock.nowMs / 1000);
  const nanoseconds = Math.round((clock.nowMs % 1000) * 1e6);
  clock.nowMs += 1;
  to.frame(
    frameOf(ethernet(0x0800, ipv4({ protocol, payload, ...ends })), { seconds, nanoseconds }),
  );
}

/** A request in clear text with a query string, and its answer. */
function get(to: FrameTaker, clock: TalkClock): void {
  const ends = { client: CLIENT, server: RESOLVER, clientPort: 41_000, serverPort: 80 };
  const talk = new TcpTalk(to, ends, clock);
  talk.segment(true, httpGet(HOST, "/canary-path?canary=canary-query"));
  talk.segment(false, httpOk(100));
}

function recorded(): Buffer {
  const to = new WrittenCapture();
  const clock = new TalkClock();
  ask(to, clock, TENANT, "198.51.100.20");
  const calls = new TlsTalk(to, { serverName: TENANT, alpn: [ALPN, "http/1.1"] }, clock);
  for (let at = 0; at < 8; at++) calls.stream({ up: 1000 + 300 * at });
  const unknown = { serverName: MODEL, clientPort: 50_100, server: "198.51.100.30" };
  const model = new TlsTalk(to, unknown, clock);
  for (let at = 0; at < 8; at++) model.stream({ up: 1000 + 300 * at });
  const quic = new QuicTalk(to, { ...unknown, clientPort: 50_200 }, clock);
  for (let at = 0; at < 3; at++) quic.stream();
  const carried = { serverName: DROP, clientPort: 50_300, server: "198.51.100.40" };
  const drop = new TlsTalk(to, carried, clock);
  for (let at = 0; at < 30; at++) drop.up(1400);
  drop.down(2000);
  drop.close();
  get(to, clock);
  for (let at = 0; at < 300; at++) {
    ask(to, clock, `canary-${at}-${"a1b2c3d4e5f6".repeat(4)}.${TUNNEL}`, "198.51.100.50");
    clock.nowMs += 50;
  }
  calls.close();
  model.close();
  return to.pcap();
}

beforeAll(async () => {
  writeFileSync(capture, recorded());
  windows = await windowsOf(capture);
  const { config } = loadConfig({ env: {}, flags: [] });
  replay = new Replay({
    ...{ detect: config.detectors, home: config.networks.home, agent: "a", log },
    ...{ flowCapacity: 4096, top: 0, speed: null },
  });
  report = (await replay.run([capture])).report;
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

describe("private parts of names", () => {
  it("are in the capture, and noticed", () => {
    const bytes = readFileSync(capture).toString("latin1");
    for (const name of [TENANT, MODEL, DROP, HOST, ALPN]) expect(bytes).toMatch(name.slice(0, 17));
    const rows = windows.map((window) => window.rows);
    expect(rows.flatMap(({ ai_flows }) => ai_flows.map(({ provider }) => provider))).toContain(
      "azure_openai",
    );
    const destinations = rows.flatMap(({ ai_destinations: found }) => found);
    expect(destinations.map(({ destination }) => destination)).toContain("evil.example");
  });

  it("are in windows where names are counted, and in rows only the server of a call", () => {
    const places = new Set(windows.flatMap((window) => placesOf(window)));
    expect([...places].sort()).toEqual([
      ...["rows.ai_calls.host", "tallies.dns.names", "tallies.quic.sni", "tallies.tls.sni"],
    ]);
  });

  it("are in a report among the names that were asked for", () => {
    const { events: _, ...rest } = report;
    expect(placesOf(rest)).toEqual(["dns.names.value", "quic.sni.value", "tls.sni.value"]);
  });

  it("are in events where the event is about that very host, and of its messages in no other", () => {
    const told = new Set(report.events.map(({ detector }) => detector));
    expect(told).toEqual(new Set(["ai_unknown_stream", "dns_tunnel", "multi_signal"]));
    for (const event of report.events) {
      const messages = Object.values(messagesOf(alertOf({ anomalies: [event] })));
      for (const text of [JSON.stringify(event), ...messages]) {
        // Channels make links and mentions harmless, so that the rest of the name may look otherwise.
        const found = new Set(text.toLowerCase().match(/canary\W{0,8}[a-z]+/g));
        if (event.detector === "dns_tunnel") expect(found).toEqual(new Set());
        else for (const name of found) expect(name.replace(/\W/g, "")).toBe("canarymodel");
      }
    }
  });

  it("are in nothing that is remembered over a restart, which knows their hosts all the same", () => {
    const { engine, layouts } = replay.core;
    const untilOver = windows.at(-1)?.endMs ?? 0;
    const counters = new Float64Array(layouts.counters.size);
    for (let at = 0; engine.active().length > 0; at++) {
      engine.tick(makeWindow({ startMs: untilOver + at * 60_000, seconds: 60, counters }), null);
    }
    const memory = engine.remember();
    const { detectors, coolDowns } = memory;
    expect(detectors.ai_runaway_loop).toHaveLength(2);
    expect(detectors.ai_new_destination).toMatchObject({ clients: [[CLIENT, expect.anything()]] });
    expect(coolDowns.length).toBeGreaterThan(0);
    expect(placesOf(memory)).toEqual([]);
    expect(JSON.stringify(memory)).not.toMatch(/\b(?:evil|shop|models|tunnel)\.example/);
  });

  it("are in no metric and in no line of the log", async () => {
    for (const isOpenMetrics of [true, false]) {
      const { body } = await replay.core.registry.text(isOpenMetrics, true);
      expect(body).toMatch(/nam_ai_flows_total\{provider="azure_openai"[^}]*\} [1-9]/);
      expect(tracesIn(body)).toEqual([]);
    }
    expect(tracesIn(logLines.join(""))).toEqual([]);
  });
});
