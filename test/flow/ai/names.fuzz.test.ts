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
const SOURCE_PORT_AT = 34;

/** A frame with a ClientHello for a name below `domain`, and where the first label of that is. */
function helloFor(domain: string) {
  const message = clientHelloMessage(seededRandom(1), {
    serverName: `${LABEL}.${domain}`,
    tls13: true,
    alpn: ["h2"],
  });
  const content = Buffer.from(
    tcpFrame({ destinationPort: 443, payload: handshakeRecord(message) }),
  );
  return { content, labelAt: content.indexOf(LABEL), isAnswer: false };
}

/** The same of an answer to a question for such a name. */
function answerFor(domain: string) {
  const answer = dnsAnswer(dnsQuery(7, `${LABEL}.${domain}`, DnsType.A), [
    { type: DnsType.A, data: "198.51.100.7" },
  ]);
  const datagram = udp({ sourcePort: 53, destinationPort: 5400, payload: answer });
  const ends = { source: "10.0.0.53", destination: "10.0.0.5" };
  const content = Buffer.from(ethernet(0x0800, ipv4({ protocol: 17, payload: datagram, ...ends })));
  return { content, labelAt: content.indexOf(LABEL), isAnswer: true };
}

describe("a million distinct names", () => {
  it("take no more memory and no more rows than the first fifty thousand", () => {
    const layouts = createSensorLayouts();
    let last: Window | undefined;
    const limits = new Map(trackers.map(({ name, rows }) => [name as string, rows.limit]));
    let evicted = 0;
    let asked = 0;
    const pipeline = new Pipeline({
      ...{ sensor: 0, source: IDLE_SOURCE, layouts, home: HOME, hashSeed: 1 },
      ...{ flowCapacity: 65_536, tallyLimit: 10_000, now: null },
      emit(window) {
        last = window;
        // Series are cells, of which there are as many as ever.
        expect(window.counters.length).toBe(layouts.counters.size);
        evicted += cellValue(layouts.counters, window.counters, "nam_ai_watch_evictions_total");
        asked += cellValue(layouts.counters, window.counters, "nam_dns_messages_total");
        for (const [name, rows] of Object.entries(window.rows)) {
          expect(rows.length, name).toBeLessThanOrEqual(limits.get(name) ?? 0);
        }
        for (const [name, values] of Object.entries(window.tallies)) {
          expect(values.length, name).toBeLessThanOrEqual(10_000);
        }
      },
    });
    const frames = [
      ...["example.org", "openai.azure.com", "evil.test"].map(helloFor),
      answerFor("openai.azure.com"),
    ];
    let before = 0;
    for (let index = 0; index < NAMES; index++) {
      if (index === WARM_UP) before = heldMemory().all;
      const { content, labelAt, isAnswer } = frames[
        index % frames.length
      ] as (typeof frames)[number];
      content.write(index.toString(36).padStart(LABEL.length, "0"), labelAt, "latin1");
      content.writeUInt32BE((0x0a000000 + Math.imul(index, 0x9e3779b1)) >>> 0, SOURCE_AT);
      if (!isAnswer) content.writeUInt16BE(1024 + (index % 60_000), SOURCE_PORT_AT);
      const seconds = 1_790_000_000 + Math.floor(index / A_SECOND);
      const nanoseconds = (index % A_SECOND) * (1e9 / A_SECOND);
      pipeline.frame(frameOf(content, { seconds, nanoseconds }));
    }
    expect(heldMemory().all - before).toBeLessThan(24 * MIB);
    pipeline.finish();
    expect(evicted).toBeGreaterThan(NAMES / 2);
    expect(asked).toBe(NAMES / 4);
    const gauges = last?.gauges ?? new Float64Array();
    expect(cellValue(layouts.gauges, gauges, "nam_ai_watched_flows")).toBeLessThanOrEqual(8192);
  }, 400_000);
});
