// SPDX-License-Identifier: AGPL-3.0-or-later
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packetSize, transportFamily } from "../../src/decode/families.ts";
import { sharedData } from "../support/shared-data.ts";
import { answeredCaptures, answerPath, readCapture } from "./captures.ts";
import type { Decoding } from "./decoding.ts";
import { expectDns, expectLocalNames } from "./dns-answers.ts";
import { FlowDecoding } from "./flow-decoding.ts";
import { expectHandshakes, handshakesFound } from "./handshake-answers.ts";
import { expectLayers, Seen } from "./layer-answers.ts";
import { type Reference, readReference, TCP_FLAG_NAMES } from "./reference.ts";

/** More than any capture has. */
const FLOWS = 65_536;

const folder = sharedData();

describe.skipIf(folder === null)("reference answers", () => {
  const root = folder ?? "";
  const captures = folder === null ? [] : answeredCaptures(root);

  it("has captures to compare", () => {
    expect(captures.length).toBeGreaterThan(260);
  });

  it.each(captures)("%s", async (capture) => {
    const reference = readReference(join(root, answerPath(capture)));
    const decoding = new FlowDecoding(FLOWS);
    const seen = new Seen(decoding);
    await readCapture(join(root, capture), (frame) => {
      decoding.take(frame);
      seen.note();
    });
    expectSums(decoding, reference);
    expectSizes(decoding, reference);
    expectLayers(capture, root, decoding, seen, reference);
    expectTcpFlags(decoding, reference);
    expectDns(decoding, reference);
    expectLocalNames(decoding, reference);
    expectHandshakes(capture, root, decoding, reference);
  });

  it("agrees with the fingerprints that two implementations confirm", async () => {
    const confirmed = readConfirmed(join(root, "captures/confirmed_fingerprints.json"));
    let compared = 0;
    for (const [capture, { ja3, ja4 }] of confirmed) {
      const decoding = new FlowDecoding(FLOWS);
      await readCapture(join(root, capture), (frame) => decoding.take(frame));
      const { ja3: foundJa3, ja4: foundJa4 } = handshakesFound(decoding);
      expect(Object.keys(foundJa4), capture).toEqual(expect.arrayContaining(ja4));
      expect(Object.keys(foundJa3), capture).toEqual(expect.arrayContaining(ja3));
      compared++;
    }
    expect(compared).toBeGreaterThanOrEqual(15);
  });
});

function expectSums(decoding: Decoding, reference: Reference): void {
  const { packets, bytes } = decoding.sums();
  const expected = Number(reference.container.packets);
  expect(packets, "packets in each family").toEqual([expected, expected, expected]);
  expect(new Set(bytes).size, "bytes in each family are the same").toBe(1);
  const { counts, sum } = decoding.histogram(packetSize);
  expect(
    counts.reduce((all, count) => all + count, 0),
    "packets in the size histogram",
  ).toBe(expected);
  expect(sum, "bytes in the size histogram").toBe(bytes[0]);
}

/** tshark counts custom and journal blocks of pcapng as frames, of which capinfos knows better. */
function expectSizes(decoding: Decoding, { answer, container }: Reference): void {
  const bytes = decoding.sums().bytes[0];
  if (Number(container.packets) !== answer.packets) {
    expect(bytes, "bytes").toBe(Number(container.data_bytes));
    return;
  }
  expect(bytes, "bytes").toBe(answer.bytes);
  const { counts } = decoding.histogram(packetSize);
  let cumulative = 0;
  for (const [bucket, bound] of (packetSize.buckets ?? []).entries()) {
    cumulative += counts[bucket] ?? 0;
    const count = answer.frame_len_le[String(bound)];
    if (count !== undefined) expect(cumulative, `packets up to ${bound} bytes`).toBe(count);
  }
}

/** tshark counts the flags of inner TCP headers too: compared where there are none. */
function expectTcpFlags(decoding: Decoding, { answer }: Reference): void {
  const { tcp = 0 } = decoding.packets(transportFamily);
  if ((answer.protocols.tcp?.frames ?? 0) !== tcp) return;
  for (const flag of TCP_FLAG_NAMES) {
    const count = decoding.value("nam_tcp_segments_total", { flag });
    expect(count, `TCP segments ${flag}`).toBe(answer.tcp[flag]);
  }
}

interface Confirmed {
  readonly ja3: string[];
  readonly ja4: string[];
}

function readConfirmed(path: string): Map<string, Confirmed> {
  type Sources = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  const { ja3, ja4 } = JSON.parse(readFileSync(path, "utf8")) as { ja3: Sources; ja4: Sources };
  const valuesOf = (sources: Sources, capture: string) => Object.keys(sources[capture] ?? {});
  return new Map(
    [...new Set([...Object.keys(ja3), ...Object.keys(ja4)])].map((capture) => [
      capture,
      { ja3: valuesOf(ja3, capture), ja4: valuesOf(ja4, capture) },
    ]),
  );
}
