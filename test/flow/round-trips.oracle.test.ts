// SPDX-License-Identifier: AGPL-3.0-or-later
// Round-trip times of TCP handshakes against tshark, over every shared capture that has whole ones.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { flowMetrics } from "../../src/flow/families.ts";
import { askFields } from "../decode/ask-tshark.ts";
import { answeredCaptures, answerPath, readCapture } from "../decode/captures.ts";
import { FlowDecoding } from "../decode/flow-decoding.ts";
import { cellHistogram } from "../support/cells.ts";
import { roundTripExceptions } from "../support/reference-exceptions.ts";
import { sharedData } from "../support/shared-data.ts";
import { hasTool } from "../support/tool.ts";

const FILTER = "tcp.flags.syn == 1 || tcp.analysis.initial_rtt";
const FIELDS = ["tcp.stream", "tcp.flags.syn", "tcp.flags.ack", "tcp.analysis.initial_rtt"];
/** What a sum of numbers that are not whole may differ by. */
const TOLERANCE_SECONDS = 1e-6;

const folder = sharedData();

describe.skipIf(folder === null || !hasTool("tshark"))("TCP round-trip times", () => {
  const root = folder ?? "";
  const captures = folder === null ? [] : answeredCaptures(root).filter(hasHandshake);

  function hasHandshake(capture: string): boolean {
    const { answer } = JSON.parse(readFileSync(join(root, answerPath(capture)), "utf8"));
    return answer.tcp.syn_ack > 0;
  }

  it.each(captures)("%s", async (capture) => {
    const decoding = new FlowDecoding();
    await readCapture(join(root, capture), (frame) => decoding.take(frame));
    const definition = flowMetrics.find(({ name }) => name === "nam_tcp_rtt_seconds");
    if (definition === undefined) throw new Error("no round-trip times");
    const { counts, sum } = cellHistogram(decoding.flowLayout, decoding.flowCounters, definition);
    const trips = roundTrips(join(root, capture));
    const measured = counts.reduce((all, one) => all + one, 0);
    const isNear = Math.abs(sum - trips.reduce((all, one) => all + one, 0)) < TOLERANCE_SECONDS;
    if (capture in roundTripExceptions) expect(measured === trips.length && isNear).toBe(false);
    else expect([measured, isNear]).toEqual([trips.length, true]);
  });
});

/**
 * tshark's, in seconds, of streams with one SYN that was answered. Of others it tells one too: from a SYN to the reset
 * that refuses it, from the first SYN although a later one was answered, or without any answer captured.
 */
function roundTrips(path: string): number[] {
  const streams = new Map<string, { asked: number; answered: number; seconds: number }>();
  for (const [[stream = ""] = [], [syn] = [], [ack] = [], [seconds] = []] of askFields(
    path,
    [],
    FILTER,
    FIELDS,
  )) {
    const found = streams.get(stream) ?? { asked: 0, answered: 0, seconds: Number.NaN };
    streams.set(stream, found);
    if (syn === "1" && ack === "0") found.asked++;
    if (syn === "1" && ack === "1") found.answered++;
    if (seconds !== undefined) found.seconds = Number(seconds);
  }
  return [...streams.values()]
    .filter(({ asked, answered, seconds }) => asked === 1 && answered > 0 && seconds >= 0)
    .map(({ seconds }) => seconds);
}
