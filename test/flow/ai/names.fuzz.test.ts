// SPDX-License-Identifier: AGPL-3.0-or-later
// A million names that are greeted or asked for once, some of them below names of AI providers.
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../scripts/fixtures/bytes.ts";
import {
  clientHelloMessage,
  DnsType,
  dnsAnswer,
  dnsQuery,
} from "../../../scripts/fixtures/messages.ts";
import { trackers } from "../../../src/flow/all.ts";
import type { Window } from "../../../src/flow/window.ts";
import { Pipeline } from "../../../src/pipeline.ts";
import { createSensorLayouts } from "../../../src/sensor-metrics.ts";
import { HOME } from "../../decode/decoding.ts";
import { ethernet, frameOf, handshakeRecord, ipv4, tcpFrame, udp } from "../../decode/frames.ts";
import { cellValue } from "../../support/cells.ts";
import { IDLE_SOURCE } from "../../support/idle-source.ts";
import { heldMemory } from "../../support/memory.ts";

const NAMES = 1_000_000;
const WARM_UP = 50_000;
/** Frames a second of packet time; more are not noted. */
const A_SECOND = 5000;
const MIB = 2 ** 20;
const LABEL = "00000000";
const SOURCE_AT = 26;
const DESTINATION_AT = 30;
const SOURCE_PORT_AT = 34;
const QUESTION = { source: "10.0.0.5", destination: "10.0.0.53" };

/** A frame of which the name's first label and the client's address are written over. */
interface Template {
  readonly content: Buffer;
  readonly labelAt: number;
  readonly clientAt: number;
  /** Where the client's port is, if it is not always the same. */
  readonly portAt: number | null;
}

/** A ClientHello for a name below `domain`. */
function helloFor(domain: string): Template[] {
  const message = clientHelloMessage(seededRandom(1), {
    serverName: `${LABEL}.${domain}`,
    tls13: true,
    alpn: ["h2"],
  });
  const payload = handshakeRecord(message);
  const frame = tcpFrame({ destinationPort: 443, payload });
  return [template(frame, SOURCE_AT, SOURCE_PORT_AT)];
}

/** A question for such a name, and its answer. */
function lookUpOf(domain: string): Template[] {
  const query = dnsQuery(7, `${LABEL}.${domain}`, DnsType.A);
  const answer = dnsAnswer(query, [{ type: DnsType.A, data: "198.51.100.7" }]);
  const ask = udp({ sourcePort: 5400, destinationPort: 53, payload: query });
  const tell = udp({ sourcePort: 53, destinationPort: 5400, payload: answer });
  const back = { source: QUESTION.destination, destination: QUESTION.source };
  return [
    template(ethernet(0x0800, ipv4({ protocol: 17, payload: ask, ...QUESTION })), SOURCE_AT),
    template(ethernet(0x0800, ipv4({ protocol: 17, payload: tell, ...back })), DESTINATION_AT),
  ];
}

function template(frame: Uint8Array, clientAt: number, portAt: number | null = null): Template {
  const content = Buffer.from(frame);
  return { content, labelAt: content.indexOf(LABEL), clientAt, portAt };
}

describe("a million distinct names", () => {
  it("take no more memory and no more rows than the first fifty thousand", () => {
    const layouts = createSensorLayouts();
    let last: Window | undefined;
    const limits = new Map(trackers.map(({ name, rows }) => [name as string, rows.limit]));
    let evicted = 0;
    let asked = 0;
    let forgotten = 0;
    const pipeline = new Pipeline({
      ...{ sensor: 0, source: IDLE_SOURCE, layouts, home: HOME, hashSeed: 1 },
      ...{ flowCapacity: 262_144, tallyLimit: 10_000, now: null },
      emit(window) {
        last = window;
        // Series are cells, of which there are as many as ever.
        expect(window.counters.length).toBe(layouts.counters.size);
        const count = (name: string, where = {}): number =>
          cellValue(layouts.counters, window.counters, name, where);
        evicted += count("nam_ai_watch_evictions_total");
        asked += count("nam_dns_messages_total");
        forgotten += count("nam_ai_evictions_total", { kind: "dns_answer" });
        for (const [name, rows] of Object.entries(window.rows)) {
          expect(rows.length, name).toBeLessThanOrEqual(limits.get(name) ?? 0);
        }
        for (const [name, values] of Object.entries(window.tallies)) {
          expect(values.length, name).toBeLessThanOrEqual(10_000);
        }
      },
    });
    const talks = [
      ...["example.org", "openai.azure.com", "evil.test"].map(helloFor),
      lookUpOf("openai.azure.com"),
    ];
    let before = 0;
    for (let index = 0; index < NAMES; index++) {
      if (index === WARM_UP) before = heldMemory().all;
      const seconds = 1_790_000_000 + Math.floor(index / A_SECOND);
      const nanoseconds = (index % A_SECOND) * (1e9 / A_SECOND);
      for (const { content, labelAt, clientAt, portAt } of talks[index % talks.length] ?? []) {
        content.write(index.toString(36).padStart(LABEL.length, "0"), labelAt, "latin1");
        content.writeUInt32BE((0x0a000000 + Math.imul(index, 0x9e3779b1)) >>> 0, clientAt);
        if (portAt !== null) content.writeUInt16BE(1024 + (index % 60_000), portAt);
        pipeline.frame(frameOf(content, { seconds, nanoseconds }));
      }
    }
    expect(heldMemory().all - before).toBeLessThan(8 * MIB);
    pipeline.finish();
    expect(evicted).toBeGreaterThan(NAMES / 2);
    expect(asked).toBe(NAMES / 2);
    // Every answer was believed and kept, until it had to make room.
    expect(forgotten).toBeGreaterThan(NAMES / 8);
    const gauges = last?.gauges ?? new Float64Array();
    expect(cellValue(layouts.gauges, gauges, "nam_ai_watched_flows")).toBeLessThanOrEqual(8192);
  }, 400_000);
});
