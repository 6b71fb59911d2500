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
import { sharedData } from "../support/shared-data.ts";

/** Every capture whose TCP connections the reference counts otherwise, and why; sorted. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  "captures/arkime/tcp-reassembly-synthetic.pcap":
    "a SYN-ACK stands before its SYN, and the connection is over when the SYN comes: a new one here",
  "captures/tcpdump/timestamp_invalid_micro.pcap":
    "its clock leaps by more than a connection may be silent; the reference knows no time-outs",
  "captures/zeek/pppoe-over-qinq.pcap":
    "silent for 235 s after its FIN, longer than a closing connection is kept",
};

/** Every capture whose sequence numbers the reference judges otherwise, and why; sorted. */
const SEQUENCE_EXCEPTIONS: Readonly<Record<string, string>> = {
  "captures/arkime/tcp-reassembly-synthetic.pcap":
    "a SYN-ACK stands before its SYN: the reference tells other connections apart",
  "captures/arkime/wireshark-retrans.pcap":
    "one of 48 segments that come again fills a hole of more than 3 ms, but less than the connection's round trip",
  "captures/tcpdump/heapoverflow-tcp_print.pcap":
    "its one header is cut by the capture: it has no length that could be trusted",
  "captures/zeek/pppoe-over-qinq.pcap":
    "what comes again after 235 s of silence belongs to a connection that is not kept so long",
};

const folder = sharedData();

interface Answer {
  readonly answer: {
    readonly protocols: Readonly<Record<string, { readonly frames: number } | undefined>>;
    readonly tcp: {
      readonly streams: number;
      readonly payload_bytes: number;
      readonly retransmissions: number;
      readonly out_of_order: number;
    };
  };
}

interface Counted {
  /** TCP packets. */
  readonly packets: number;
  readonly flows: number;
  readonly sequences: readonly [payloadBytes: number, again: number, outOfOrder: number];
}

async function count(path: string): Promise<Counted> {
  const layout = new CellLayout([...decodeMetrics, ...flowMetrics]);
  const counters = new Float64Array(layout.size);
  const decoder = new Decoder({ layout, counters, tally: () => () => {}, home: [] });
  const flows = new Flows({ layout, counters, hashSeed: 1, capacity: 65_536 });
  const clock = new WindowClock(1000);
  const close = (_: number, endMs: number): void => flows.close(clock.flowTime(endMs));
  // Damage is the capture reader's business; what came before it counts.
  await readCapture(path, (frame) => {
    decoder.headers(frame);
    clock.advance(frame.seconds * 1000 + frame.nanoseconds / 1e6, close);
    if (decoder.packet.ipProtocol >= 0) flows.accept(decoder.packet, clock.flowMs);
    decoder.application(0);
    decoder.count();
  }).catch(() => {});
  const tcp = { protocol: "tcp" };
  return {
    packets: cellValue(layout, counters, "nam_transport_packets_total", tcp),
    flows: cellValue(layout, counters, "nam_flows_started_total", tcp),
    sequences: [
      cellValue(layout, counters, "nam_tcp_payload_bytes_total"),
      cellValue(layout, counters, "nam_tcp_retransmissions_total"),
      cellValue(layout, counters, "nam_tcp_out_of_order_total"),
    ],
  };
}

describe.skipIf(folder === null)("TCP flows of real captures", () => {
  const captures = folder === null ? [] : answeredCaptures(folder);

  it("are the connections that the reference counts, with what came again and out of order", async () => {
    const flowsDiffer: string[] = [];
    const sequencesDiffer: string[] = [];
    let compared = 0;
    for (const capture of captures) {
      const path = join(folder ?? "", capture);
      const { answer } = JSON.parse(readFileSync(answerPath(path), "utf8")) as Answer;
      const { packets, flows, sequences } = await count(path);
      // Where not every TCP packet is decoded, as in a tunnel not known yet, flows cannot agree.
      if (packets === 0 || packets !== answer.protocols.tcp?.frames) continue;
      compared++;
      const { streams, payload_bytes, retransmissions, out_of_order } = answer.tcp;
      if (flows !== streams) flowsDiffer.push(capture);
      const expected = [payload_bytes, retransmissions, out_of_order].join();
      if (sequences.join() !== expected) sequencesDiffer.push(capture);
    }
    expect(flowsDiffer).toEqual(Object.keys(EXCEPTIONS));
    expect(sequencesDiffer).toEqual(Object.keys(SEQUENCE_EXCEPTIONS));
    expect(compared).toBeGreaterThan(100);
  });
});
