// SPDX-License-Identifier: AGPL-3.0-or-later
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Decoder } from "../../src/decode/decoder.ts";
import { decodeMetrics } from "../../src/decode/families.ts";
import { flowMetrics } from "../../src/flow/families.ts";
import { Flows } from "../../src/flow/flows.ts";
import { CellLayout } from "../../src/metrics/cells.ts";
import { WindowClock } from "../../src/window-clock.ts";
import { answeredCaptures, answerPath, readCapture } from "../decode/captures.ts";
import { cellValue } from "../support/cells.ts";
import { flowExceptions } from "../support/reference-exceptions.ts";
import { sharedData } from "../support/shared-data.ts";

/** Longest silence that is let pass: the reference knows no time-outs, and some captures leap by minutes and years. */
const SILENCE_MS = 1000;

const folder = sharedData();

interface Answer {
  /** Fields that two versions of tshark give different values. */
  readonly second_opinion: { readonly differs_from_base: readonly (readonly unknown[])[] };
  readonly answer: {
    readonly protocols: Readonly<Record<string, { readonly frames: number } | undefined>>;
    readonly tcp: Counted["tcp"];
  };
}

const FIELDS = ["streams", "payload_bytes", "retransmissions", "out_of_order"] as const;

interface Counted {
  /** TCP packets. */
  readonly packets: number;
  /** What the reference's names are for. */
  readonly tcp: Readonly<Record<(typeof FIELDS)[number], number>>;
}

async function count(path: string): Promise<Counted> {
  const layout = new CellLayout([...decodeMetrics, ...flowMetrics]);
  const counters = new Float64Array(layout.size);
  const decoder = new Decoder({ layout, counters, tally: () => () => {}, home: [] });
  const flows = new Flows({ layout, counters, hashSeed: 1, capacity: 65_536 });
  const clock = new WindowClock(1000);
  const close = (_: number, endMs: number): void => flows.close(clock.flowTime(endMs));
  let lastMs = 0;
  let silencesMs = 0;
  // Damage is the capture reader's business; what came before it counts.
  await readCapture(path, (frame) => {
    decoder.headers(frame);
    const capturedMs = frame.seconds * 1000 + frame.nanoseconds / 1e6;
    const timeMs = capturedMs - silencesMs;
    if (Math.abs(timeMs - lastMs) > SILENCE_MS && lastMs > 0)
      silencesMs = capturedMs - lastMs - SILENCE_MS;
    lastMs = capturedMs - silencesMs;
    clock.advance(lastMs, close);
    if (decoder.packet.ipProtocol >= 0) flows.accept(decoder.packet, clock.flowMs);
    decoder.application(0);
    decoder.count();
  }).catch(() => {});
  const tcp = { protocol: "tcp" };
  const value = (name: string, labels = {}) => cellValue(layout, counters, name, labels);
  return {
    packets: value("nam_transport_packets_total", tcp),
    tcp: {
      streams: value("nam_flows_started_total", tcp),
      payload_bytes: value("nam_tcp_payload_bytes_total"),
      retransmissions: value("nam_tcp_retransmissions_total"),
      out_of_order: value("nam_tcp_out_of_order_total"),
    },
  };
}

describe.skipIf(folder === null)("TCP flows of real captures", () => {
  const captures = folder === null ? [] : answeredCaptures(folder);

  it("are the connections that the reference counts, with what came again and out of order", async () => {
    const differing: string[] = [];
    let compared = 0;
    for (const capture of captures) {
      const path = join(folder ?? "", capture);
      const { answer, second_opinion } = JSON.parse(
        readFileSync(answerPath(path), "utf8"),
      ) as Answer;
      const { packets, tcp } = await count(path);
      // Where not every TCP packet is decoded, as in a tunnel not known yet, flows cannot agree.
      if (packets === 0 || packets !== answer.protocols.tcp?.frames) continue;
      compared++;
      const disputed = second_opinion.differs_from_base.map(([field]) => field);
      const judged = FIELDS.filter((field) => !disputed.includes(`tcp/${field}`));
      if (judged.some((field) => tcp[field] !== answer.tcp[field])) differing.push(capture);
    }
    expect(differing).toEqual(Object.keys(flowExceptions));
    expect(compared).toBeGreaterThan(100);
  });
});
