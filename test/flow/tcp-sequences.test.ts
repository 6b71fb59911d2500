// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { emptyPacket } from "../../src/decode/packet.ts";
import { tcpRtt } from "../../src/flow/tcp-metrics.ts";
import { createFlows } from "../support/flows.ts";
import { ACK, FIN, Protocol, PSH, RST, SYN, setPacket, v4 } from "../support/packets.ts";

const CLIENT = v4("10.0.0.1", 40_000);
const SERVER = v4("10.0.0.2", 443);
const T0 = 1_700_000_000_000;
/** Sequence numbers of both sides begin just before they wrap. */
const START = -50;

interface Sent {
  readonly from?: "client" | "server";
  readonly flags?: number;
  readonly at?: number;
  readonly length?: number;
  readonly acknowledges?: number;
  readonly window?: number;
  readonly atMs?: number;
}

/** A connection; `at` and `acknowledges` count bytes of the stream from 0. */
function connection() {
  const { flows, counter, histogram } = createFlows();
  const packet = emptyPacket({});
  function send(sent: Sent): void {
    const { from = "client", flags = ACK, at = 0, length = 0, acknowledges = 0, atMs = 0 } = sent;
    const ends = from === "client" ? ([CLIENT, SERVER] as const) : ([SERVER, CLIENT] as const);
    packet.seconds = Math.floor((T0 + atMs) / 1000);
    packet.nanoseconds = Math.round(((T0 + atMs) % 1000) * 1e6);
    setPacket(packet, ...ends, {
      ...{ ipProtocol: Protocol.TCP, flags, payload: length, window: sent.window ?? 1000 },
      sequence: (START + 1 + at - ((flags & SYN) === 0 ? 0 : 1)) | 0,
      acknowledgment: (START + 1 + acknowledges) | 0,
    });
    flows.accept(packet, Math.floor(T0 + atMs));
  }
  const counts = () => ({
    again: counter("nam_tcp_retransmissions_total"),
    outOfOrder: counter("nam_tcp_out_of_order_total"),
    unseen: counter("nam_tcp_unseen_bytes_total"),
    bytes: counter("nam_tcp_payload_bytes_total"),
    zeroWindows: counter("nam_tcp_zero_windows_total"),
  });
  return { send, counts, roundTrips: () => histogram(tcpRtt) };
}

function established() {
  const all = connection();
  all.send({ flags: SYN });
  all.send({ from: "server", flags: SYN | ACK, atMs: 20 });
  all.send({ atMs: 30.5 });
  return all;
}

const NOTHING = { again: 0, outOfOrder: 0, unseen: 0, bytes: 0, zeroWindows: 0 };

describe("TCP sequence numbers", () => {
  it("are silent over an orderly connection that wraps", () => {
    const { send, counts } = established();
    send({ at: 0, length: 100 });
    send({ from: "server", acknowledges: 100 });
    send({ from: "server", at: 0, length: 1400, acknowledges: 100 });
    send({ at: 100, acknowledges: 1400 });
    send({ at: 100, acknowledges: 1400, flags: FIN | ACK });
    send({ from: "server", at: 1400, acknowledges: 101, flags: FIN | ACK });
    send({ at: 101, acknowledges: 1401 });
    expect(counts()).toEqual({ ...NOTHING, bytes: 1500 });
  });

  it("count what comes again, whole or with new bytes behind it", () => {
    const { send, counts } = established();
    send({ at: 0, length: 100 });
    send({ at: 0, length: 100 });
    send({ at: 50, length: 100 });
    send({ at: 150, length: 10 });
    expect(counts()).toEqual({ ...NOTHING, again: 2, bytes: 310 });
  });

  it("tell a segment that was overtaken from one that was sent again", () => {
    const overtaken = established();
    overtaken.send({ at: 100, length: 100, atMs: 40 });
    overtaken.send({ at: 0, length: 100, atMs: 42 });
    overtaken.send({ from: "server", acknowledges: 200, atMs: 50 });
    expect(overtaken.counts()).toEqual({ ...NOTHING, outOfOrder: 1, bytes: 200 });
    const sentAgain = established();
    sentAgain.send({ at: 100, length: 100, atMs: 40 });
    sentAgain.send({ at: 0, length: 100, atMs: 90 });
    sentAgain.send({ from: "server", acknowledges: 200, atMs: 100 });
    expect(sentAgain.counts()).toEqual({ ...NOTHING, again: 1, bytes: 200 });
  });

  it("count what was acknowledged without having been captured, once", () => {
    const { send, counts } = established();
    send({ at: 100, length: 100, atMs: 40 });
    send({ from: "server", acknowledges: 50, atMs: 41 });
    expect(counts().unseen).toBe(0);
    send({ from: "server", acknowledges: 200, atMs: 42 });
    send({ from: "server", acknowledges: 200, atMs: 43 });
    expect(counts().unseen).toBe(100);
    send({ from: "server", acknowledges: 1200, atMs: 44 });
    expect(counts().unseen).toBe(1100);
    send({ at: 1200, length: 10, atMs: 45 });
    expect(counts()).toEqual({ ...NOTHING, unseen: 1100, bytes: 110 });
  });

  it("take the part of a hole that was filled for seen", () => {
    const { send, counts } = established();
    send({ at: 300, length: 100, atMs: 40 });
    send({ at: 0, length: 200, atMs: 41 });
    send({ from: "server", acknowledges: 400, atMs: 60 });
    expect(counts()).toEqual({ ...NOTHING, outOfOrder: 1, unseen: 100, bytes: 300 });
  });

  it("take keep-alives and probes for neither", () => {
    const { send, counts } = established();
    send({ at: 0, length: 10 });
    send({ at: 9, length: 1 });
    send({ at: 9, length: 0 });
    expect(counts()).toEqual({ ...NOTHING, bytes: 11 });
  });

  it("count windows that are shut, but not those of resets", () => {
    const { send, counts } = established();
    send({ from: "server", window: 0 });
    send({ from: "server", window: 0, flags: RST });
    expect(counts()).toEqual({ ...NOTHING, zeroWindows: 1 });
  });

  it("believe no numbers that fit no stream", () => {
    const { send, counts } = established();
    send({ at: 0, length: 10 });
    send({ at: 0x60000000, length: 10 });
    send({ from: "server", acknowledges: 0x70000000 });
    expect(counts()).toEqual({ ...NOTHING, bytes: 20 });
  });

  it("know nothing of the flow that had the slot before", () => {
    const { send, counts } = established();
    send({ at: 500, length: 10 });
    send({ flags: RST });
    send({ flags: SYN, at: 5000, atMs: 60_000 });
    send({ at: 5000, length: 10, atMs: 60_001 });
    expect(counts()).toEqual({ ...NOTHING, bytes: 20 });
  });
});

describe("round trips", () => {
  it("last from the SYN to the acknowledgment of its answer", () => {
    const { counts, sum } = established().roundTrips();
    expect(counts.reduce((all, count) => all + count)).toBe(1);
    expect(counts[tcpRtt.buckets?.indexOf(0.1) ?? -1]).toBe(1);
    expect(sum).toBeCloseTo(0.0305, 6);
  });

  it("are not measured where something was sent twice", () => {
    const twice = connection();
    twice.send({ flags: SYN });
    twice.send({ flags: SYN, atMs: 1000 });
    twice.send({ from: "server", flags: SYN | ACK, atMs: 1020 });
    twice.send({ atMs: 1040 });
    expect(twice.roundTrips().sum).toBe(0);
    const answeredTwice = connection();
    answeredTwice.send({ flags: SYN });
    answeredTwice.send({ from: "server", flags: SYN | ACK, atMs: 20 });
    answeredTwice.send({ from: "server", flags: SYN | ACK, atMs: 1020 });
    answeredTwice.send({ atMs: 1040, flags: ACK | PSH, length: 3 });
    expect(answeredTwice.roundTrips().sum).toBe(0);
  });
});
