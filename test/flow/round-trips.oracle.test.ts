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
import { sharedData } from "../support/shared-data.ts";
import { hasTool } from "../support/tool.ts";

const FILTER =
  "tcp.flags.syn == 1 || tcp.analysis.initial_rtt || (tcp.seq == 1 && tcp.ack == 1 && tcp.len == 0)";
const FIELDS = [
  ...["tcp.stream", "tcp.flags.syn", "tcp.flags.ack", "frame.time_epoch"],
  "tcp.analysis.initial_rtt",
];
/** What a sum of numbers that are not whole may differ by. */
const TOLERANCE_SECONDS = 1e-6;

interface Trip {
  asked: number;
  answered: number;
  /** Of the SYN. */
  stamp: string;
  seconds: number;
}
const NO_TRIP: Trip = { asked: 0, answered: 0, stamp: "", seconds: Number.NaN };

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
    expect([measured, isNear]).toEqual([trips.length, true]);
  });
});

/**
 * tshark's, in seconds, of streams with one SYN that was answered. Of others it tells one too: from a SYN to the reset
 * that refuses it, from the first SYN although a later one was answered, or without any answer captured. A trip of
 * no time at all, from a SYN to an acknowledgment with the same stamp, it takes for none, and measures to a later packet.
 */
function roundTrips(path: string): number[] {
  const streams = new Map<string, Trip>();
  for (const row of askFields(path, [], FILTER, FIELDS)) {
    const [stream = "", syn, ack, stamp = "", seconds] = row.map(([first]) => first);
    const found = streams.get(stream) ?? { ...NO_TRIP };
    streams.set(stream, found);
    if (syn === "1" && ack === "0") {
      found.asked++;
      found.stamp = stamp;
    } else if (syn === "1") found.answered++;
    else if (found.stamp === stamp) found.seconds = 0;
    if (seconds !== undefined && found.seconds !== 0) found.seconds = Number(seconds);
  }
  return [...streams.values()]
    .filter(({ asked, answered, seconds }) => asked === 1 && answered > 0 && seconds >= 0)
    .map(({ seconds }) => seconds);
}
