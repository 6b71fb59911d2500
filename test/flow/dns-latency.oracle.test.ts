// SPDX-License-Identifier: AGPL-3.0-or-later
// Response times of every shared capture with DNS in it, held against `dns.time` of tshark.
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { histogramWidth } from "../../src/metrics/cells.ts";
import { askFields } from "../decode/ask-tshark.ts";
import { answeredCaptures, answerPath, readCapture } from "../decode/captures.ts";
import { FlowDecoding } from "../decode/flow-decoding.ts";
import { framesOverIp, readReference } from "../decode/reference.ts";
import { sharedData } from "../support/shared-data.ts";
import { hasTool } from "../support/tool.ts";

const folder = sharedData();

interface Times {
  readonly count: number;
  readonly seconds: number;
}

async function measured(path: string): Promise<Times> {
  const decoding = new FlowDecoding();
  await readCapture(path, (frame) => decoding.take(frame));
  const { flowLayout, flowCounters } = decoding;
  const histogram = flowLayout
    .definitions()
    .find(({ name }) => name === "nam_dns_response_seconds");
  if (!histogram) throw new Error("no histogram of response times");
  const from = flowLayout.base(histogram);
  const cells = flowCounters.slice(from, from + histogramWidth(histogram));
  const count = cells.slice(0, -1).reduce((sum, cell) => sum + cell, 0);
  return { count, seconds: cells.at(-1) ?? 0 };
}

function expected(path: string): Times {
  const times = askFields(path, [], "dns.time && !mdns && !llmnr", ["dns.time"]).flat(2);
  return { count: times.length, seconds: times.reduce((sum, time) => sum + Number(time), 0) };
}

describe.skipIf(folder === null || !hasTool("tshark"))("DNS response times", () => {
  const captures = (folder === null ? [] : answeredCaptures(folder)).filter((capture) => {
    const reference = readReference(join(folder ?? "", answerPath(capture)));
    const { frames } = reference.answer.dns;
    return frames > 0 && framesOverIp(reference, "dns") === frames;
  });

  it("are compared on many captures", () => {
    expect(captures.length).toBeGreaterThan(30);
  });

  it.each(captures)("%s", async (capture) => {
    const path = join(folder ?? "", capture);
    const { count, seconds } = await measured(path);
    const reference = expected(path);
    expect(count).toBe(reference.count);
    expect(seconds).toBeCloseTo(reference.seconds, 6);
  });
});
