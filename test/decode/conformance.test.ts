// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { Direction, LinkType } from "../../src/capture/source.ts";
import { protocols } from "../../src/decode/all.ts";
import { applicationNames, decodeMetrics, decodeSignals } from "../../src/decode/families.ts";
import type { Packet } from "../../src/decode/packet.ts";
import { LAYERS, Stop } from "../../src/decode/protocol.ts";
import { CellLayout } from "../../src/metrics/cells.ts";
import { Decoding } from "./decoding.ts";
import { frameOf } from "./frames.ts";
import type { Sample } from "./sample.ts";
import { samples } from "./samples.ts";

const POISON = 0xa5;

describe.each(protocols.map(({ name, layer }) => ({ name, layer })))("$name", ({ name, layer }) => {
  const own = samples.filter(({ protocol }) => protocol === name);

  it("has a sample, counted under its name", () => {
    expect(own.length).toBeGreaterThan(0);
    for (const sample of own) {
      const decoding = taken(sample);
      if (layer === "tunnel") {
        expect(decoding.value("nam_tunnel_packets_total", { protocol: name })).toBe(1);
      } else if (layer !== "link") expect(decoding.names()[layer]).toBe(name);
      expect(decoding.packet.fault).toBe(0);
    }
  });

  it("reads nothing outside the frame and has one outcome, wherever the frame ends", () => {
    const decoding = new Decoding();
    let frames = 0;
    let faults = 0;
    for (const sample of own) {
      for (const wireLength of [0, sample.content.length]) {
        for (let length = 0; length <= sample.content.length; length++) {
          decoding.take(
            frameOfSample(sample, length, Math.max(wireLength, length)),
            verdictOf(sample),
          );
          if (decoding.packet.fault !== 0) faults++;
          frames++;
        }
      }
    }
    const { packets, errors } = decoding.sums();
    expect(packets).toEqual([frames, frames, frames]);
    expect(errors).toBe(faults);
  });

  it("calls what the capture cut truncated, never malformed", () => {
    for (const sample of own) {
      const decoding = new Decoding();
      for (let length = 0; length < sample.content.length; length++) {
        decoding.take(frameOfSample(sample, length, sample.content.length), verdictOf(sample));
        expect([0, Stop.TRUNCATED]).toContain(decoding.packet.fault);
      }
    }
  });

  it("sees the same in memory that others use", () => {
    for (const sample of own) {
      const alone = taken(sample);
      const among = new Decoding();
      among.take(poisoned(sample), verdictOf(sample));
      expect(fieldsOf(among.packet, 64)).toEqual(fieldsOf(alone.packet, 0));
      expect([...among.counters]).toEqual([...alone.counters]);
    }
  });
});

describe("a packet", () => {
  const fresh = samples.map((sample) => {
    const { packet } = taken(sample);
    const fields = fieldsOf(packet, 0);
    return { sample, fields, text: JSON.stringify(fields), facts: currentFacts(packet) };
  });

  it.each(samples.map((sample, index) => [index, sample.protocol, sample] as const))(
    "keeps nothing of the one before, sample %i (%s)",
    (_index, _protocol, before) => {
      const decoding = new Decoding();
      for (const { sample, fields, text, facts } of fresh) {
        decoding.take(frameOfSample(before), verdictOf(before));
        decoding.take(frameOfSample(sample), verdictOf(sample));
        const now = fieldsOf(decoding.packet, 0);
        // Which is asked a hundred thousand times.
        if (JSON.stringify(now) !== text) expect(now).toEqual(fields);
        // The same bytes again are, to a decoder of streams, a segment sent twice.
        if (sample.protocol === before.protocol) continue;
        const current = currentFacts(decoding.packet);
        if (current.join() !== facts.join()) expect(current).toEqual(facts);
      }
    },
  );
});

describe("the declarations", () => {
  it("have distinct names within each layer", () => {
    for (const layer of LAYERS) {
      const names = protocols.filter((one) => one.layer === layer).map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
      for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
    }
  });

  it("form a layout, and signals that each select cells", () => {
    const layout = new CellLayout(decodeMetrics);
    const names = decodeSignals.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { metric, where } of decodeSignals) {
      expect(layout.slots(metric, where).length).toBeGreaterThan(0);
    }
    expect(names).toEqual(
      expect.arrayContaining([
        "network_ipv4_packets",
        "transport_tcp_bytes",
        "application_dns_packets",
        "dns_queries",
        "dns_nxdomain",
        "tls_hellos",
        "tcp_syn",
        "tcp_rst",
      ]),
    );
  });
});

function taken(sample: Sample): Decoding {
  const decoding = new Decoding();
  decoding.take(frameOfSample(sample), verdictOf(sample));
  return decoding;
}

function verdictOf({ verdict }: Sample): number {
  return verdict === undefined ? 0 : applicationNames.indexOf(verdict);
}

/** Names of the facts that are this packet's. */
function currentFacts({ facts, number }: Packet): string[] {
  return Object.entries(facts)
    .filter(([, fact]) => fact.packet === number)
    .map(([name]) => name);
}

function frameOfSample(
  { content, linkType = LinkType.ETHERNET }: Sample,
  length = content.length,
  wireLength = length,
) {
  return frameOf(content.subarray(0, length), { linkType, wireLength });
}

/** The frame in the middle of memory full of other things. */
function poisoned({ content, linkType = LinkType.ETHERNET }: Sample) {
  const memory = new Uint8Array(content.length + 128).fill(POISON);
  memory.set(content, 64);
  return frameOf(memory, {
    linkType,
    start: 64,
    end: 64 + content.length,
    wireLength: content.length,
    direction: Direction.UNKNOWN,
  });
}

const OFFSETS = /^(start|end|at|sentEnd|.*At|payloadEnd)$/;

/** All numbers of a packet but its own; offsets count from the frame's start. */
function fieldsOf(packet: Packet, start: number): Record<string, unknown> {
  const { view: _view, facts: _facts, number: _number, ...fields } = packet;
  if (start === 0) return fields;
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      const isOffset = OFFSETS.test(name) && typeof value === "number" && value >= 0;
      return [name, isOffset ? Number(value) - start : value];
    }),
  );
}
