// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { emptyPacket, type Packet } from "../../src/decode/packet.ts";
import { BATCH_PACKETS } from "../../src/flow/tracker.ts";
import { createFlows, onFlowEvent } from "../support/flows.ts";
import {
  ACK,
  type End,
  Protocol,
  SYN,
  setPacket,
  tcpPacket,
  udpPacket,
  v4,
  v6,
} from "../support/packets.ts";

const T0 = 1_700_000_000_000;
const ROUTER = v4("10.0.0.254");
const CLIENT = v4("10.0.0.1", 40_000);
const SERVER = v4("10.0.0.2", 33_434);
const FRAGMENTATION_NEEDED = 4;

interface Quote {
  readonly protocol?: number;
  readonly type?: number;
  readonly code?: number;
  /** Bytes of the quote that were captured. */
  readonly length?: number;
  readonly fragmentOffset?: number;
}

/** An ICMP error about a packet from one end to the other, its quote in wire format with four bytes of options. */
function icmpError(about: { from: End; to: End }, quote: Quote = {}): Packet {
  const { protocol = Protocol.UDP, type = 3, code = 3, length = 32, fragmentOffset = 0 } = quote;
  const view = new DataView(new ArrayBuffer(100));
  const at = 42;
  view.setUint8(at, 0x46);
  view.setUint16(at + 6, fragmentOffset);
  view.setUint8(at + 9, protocol);
  view.setInt32(at + 12, about.from.words[3]);
  view.setInt32(at + 16, about.to.words[3]);
  view.setUint16(at + 24, about.from.port);
  view.setUint16(at + 26, about.to.port);
  const packet = setPacket(emptyPacket({}), ROUTER, about.from, { ipProtocol: Protocol.ICMP });
  return Object.assign(packet, {
    ...{ sourcePort: 0, destinationPort: 0, view, end: at + length },
    ...{ quotedAt: at, icmpType: type, icmpCode: code },
  });
}

function icmpv6Error(about: { from: End; to: End }, type: number): Packet {
  const view = new DataView(new ArrayBuffer(120));
  const at = 62;
  view.setUint8(at, 0x60);
  view.setUint8(at + 6, Protocol.UDP);
  for (const [index, word] of about.from.words.entries()) view.setInt32(at + 8 + index * 4, word);
  for (const [index, word] of about.to.words.entries()) view.setInt32(at + 24 + index * 4, word);
  view.setUint16(at + 40, about.from.port);
  view.setUint16(at + 42, about.to.port);
  const packet = setPacket(emptyPacket({}), v6(99), about.from, { ipProtocol: Protocol.ICMPV6 });
  return Object.assign(packet, {
    ...{ sourcePort: 0, destinationPort: 0, view, end: at + 48 },
    ...{ quotedAt: at, icmpType: type, icmpCode: 4 },
  });
}

function observe() {
  const { flows, counter } = createFlows();
  const refused: string[] = [];
  onFlowEvent(flows, (event, { clientPort, serverPort }) => {
    if (event === "REFUSED") refused.push(`${clientPort} ${serverPort}`);
  });
  return { flows, refused, counter };
}

const ASKED = { from: CLIENT, to: SERVER };

describe("ICMP errors", () => {
  it("refuse the flow they quote, once", () => {
    const { flows, refused } = observe();
    flows.accept(udpPacket(CLIENT, SERVER), T0);
    flows.accept(icmpError(ASKED), T0 + 1);
    flows.accept(icmpError(ASKED), T0 + 2);
    expect(refused).toEqual(["40000 33434"]);
  });

  it("refuse a connection that waits for its SYN-ACK", () => {
    const { flows, refused, counter } = observe();
    flows.accept(tcpPacket(CLIENT, SERVER, SYN), T0);
    flows.accept(icmpError(ASKED, { protocol: Protocol.TCP, code: 13 }), T0 + 1);
    flows.close(T0 + 10_000);
    expect(refused).toHaveLength(1);
    expect(counter("nam_tcp_handshakes_total", { outcome: "refused" })).toBe(1);
    expect(counter("nam_tcp_handshakes_total", { outcome: "unanswered" })).toBe(0);
  });

  it("refuse over IPv6, where type 1 is unreachable", () => {
    const { flows, refused } = observe();
    const asked = { from: v6(1, 7), to: v6(2, 8) };
    flows.accept(udpPacket(asked.from, asked.to), T0);
    flows.accept(icmpv6Error(asked, 2), T0 + 1);
    expect(refused).toEqual([]);
    flows.accept(icmpv6Error(asked, 1), T0 + 2);
    expect(refused).toEqual(["7 8"]);
  });

  it.each([
    ["only ask for smaller packets", { code: FRAGMENTATION_NEEDED }],
    ["say that a packet's time was exceeded", { type: 11, code: 0 }],
    ["quote a later fragment", { fragmentOffset: 8 }],
    ["were cut before the ports", { length: 26 }],
    ["quote another protocol", { protocol: Protocol.TCP }],
  ])("refuse nothing when they %s", (_, quote) => {
    const { flows, refused } = observe();
    flows.accept(udpPacket(CLIENT, SERVER), T0);
    flows.accept(icmpError(ASKED, quote), T0 + 1);
    expect(refused).toEqual([]);
  });

  it("refuse nothing that was answered, nor the answer", () => {
    const { flows, refused } = observe();
    flows.accept(udpPacket(CLIENT, SERVER), T0);
    flows.accept(udpPacket(SERVER, CLIENT), T0);
    flows.accept(icmpError(ASKED), T0 + 1);
    flows.accept(icmpError({ from: SERVER, to: CLIENT }), T0 + 2);
    flows.accept(tcpPacket(CLIENT, SERVER, ACK), T0);
    flows.accept(icmpError(ASKED, { protocol: Protocol.TCP }), T0 + 3);
    expect(refused).toEqual([]);
  });

  it("refuse whatever was said between the same two before", () => {
    const { flows, refused } = observe();
    const echo = { ipProtocol: Protocol.ICMP };
    const host = v4("10.0.0.1");
    flows.accept(setPacket(emptyPacket({}), host, ROUTER, echo), T0);
    flows.accept(setPacket(emptyPacket({}), ROUTER, host, echo), T0);
    flows.accept(udpPacket(CLIENT, SERVER), T0);
    flows.accept(icmpError(ASKED), T0 + 1);
    expect(flows.table.side).toBe(1);
    expect(refused).toHaveLength(1);
  });

  it("belong to a flow of their own, and leave the packet's side alone", () => {
    const { flows } = observe();
    const asked = flows.accept(udpPacket(CLIENT, SERVER), T0);
    const first = flows.accept(icmpError(ASKED), T0 + 1);
    expect(flows.table.side).toBe(0);
    expect(first).not.toBe(asked);
    expect(flows.table.rows.ipProtocol(first)).toBe(Protocol.ICMP);
    const echo = setPacket(emptyPacket({}), v4("10.0.0.1"), ROUTER, { ipProtocol: Protocol.ICMP });
    expect(flows.accept(echo, T0 + 2)).toBe(first);
    expect(flows.table.side).toBe(1);
    expect(flows.accept(icmpError(ASKED), T0 + 3)).toBe(first);
    expect(flows.table.side).toBe(0);
  });
});

describe("ICMP errors that are asked for", () => {
  const asked = (packets: number, error: () => Packet, times = 1): number => {
    const { flows } = createFlows();
    for (let at = 0; at < packets; at++) flows.accept(udpPacket(CLIENT, SERVER), T0);
    let slot = -1;
    for (let at = 0; at < times; at++) slot = flows.accept(error(), T0 + 1 + at);
    return flows.table.rows.asked(slot);
  };

  it("are no more than the packets they can be about", () => {
    expect(asked(0, () => icmpError(ASKED))).toBe(0);
    expect(asked(1, () => icmpError(ASKED))).toBe(1);
    expect(asked(3, () => icmpError(ASKED), 5)).toBe(3);
  });

  it("are of any kind", () => {
    expect(asked(1, () => icmpError(ASKED, { type: 11, code: 0 }))).toBe(1);
    expect(asked(1, () => icmpError(ASKED, { code: FRAGMENTATION_NEEDED }))).toBe(1);
  });

  it("go to who sent what they quote", () => {
    const elsewhere = () => setPacket(icmpError(ASKED), ROUTER, SERVER, { ipProtocol: 1 });
    const quote = icmpError(ASKED);
    expect(
      asked(1, () => Object.assign(elsewhere(), { view: quote.view, quotedAt: quote.quotedAt })),
    ).toBe(0);
  });

  it("are one for a TCP flow, which has no room to count them", () => {
    const { flows } = createFlows();
    flows.accept(tcpPacket(CLIENT, SERVER, SYN), T0);
    flows.accept(tcpPacket(CLIENT, SERVER, SYN), T0 + 1);
    const error = { protocol: Protocol.TCP };
    flows.accept(icmpError(ASKED, error), T0 + 2);
    const slot = flows.accept(icmpError(ASKED, error), T0 + 3);
    expect(flows.table.rows.asked(slot)).toBe(1);
  });

  it("are counted anew with each batch", () => {
    expect(asked(100, () => icmpError(ASKED), BATCH_PACKETS - 1)).toBe(BATCH_PACKETS - 1);
    expect(asked(100, () => icmpError(ASKED), BATCH_PACKETS + 2)).toBe(2);
  });
});
