// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import type { Packet } from "../../src/decode/packet.ts";
import { Decoding } from "./decoding.ts";
import {
  type Bytes,
  bytes,
  dnsMessage,
  ethernet,
  frameOf,
  hex,
  ipv4,
  ipv6,
  u16,
  u32,
  udp,
} from "./frames.ts";

const query = udp({
  sourcePort: 40_000,
  destinationPort: 53,
  payload: bytes(dnsMessage({}), new Uint8Array(50)),
});
const padded = bytes(query, new Uint8Array(-query.length & 7));
const datagram = udp({ sourcePort: 40_000, destinationPort: 53, payload: padded.subarray(8) });

interface Part {
  readonly from: number;
  readonly to: number;
  readonly id?: number;
  readonly data?: Bytes;
  readonly more?: boolean;
}

type Version = "ipv4" | "ipv6";

function fragment(version: Version, part: Part): Bytes {
  const { from, to, id = 7, data = datagram, more = to < data.length } = part;
  const payload = data.subarray(from, to);
  if (version === "ipv4") {
    const header = ipv4({ protocol: 17, fragment: (more ? 0x2000 : 0) | (from / 8), payload });
    header[4] = id >>> 8;
    header[5] = id;
    return ethernet(0x0800, header);
  }
  const extension = bytes(hex("1100"), u16(from | (more ? 1 : 0)), u32(id), payload);
  return ethernet(0x86dd, ipv6({ nextHeader: 44, payload: extension }));
}

class Receiver {
  readonly decoding = new Decoding();
  readonly #version: Version;
  seconds = 1000;

  constructor(version: Version) {
    this.#version = version;
  }

  take(part: Part): Packet {
    this.decoding.take(frameOf(fragment(this.#version, part), { seconds: this.seconds }));
    return this.decoding.packet;
  }

  result(result: string): number {
    return this.decoding.value("nam_ip_reassembly_total", { version: this.#version, result });
  }
}

const END = datagram.length;

describe.each<Version>(["ipv4", "ipv6"])("fragments of %s", (version) => {
  it.each([
    [
      "in order",
      [
        [0, 24],
        [24, 48],
        [48, END],
      ],
    ],
    [
      "in reverse",
      [
        [48, END],
        [24, 48],
        [0, 24],
      ],
    ],
    [
      "the last one in the middle",
      [
        [0, 24],
        [48, END],
        [24, 48],
      ],
    ],
  ])("show the datagram with the frame that completes it: %s", (_name, parts) => {
    const receiver = new Receiver(version);
    for (const [from = 0, to = 0] of parts.slice(0, -1)) {
      const packet = receiver.take({ from, to });
      expect(packet).toMatchObject({ fragment: 2, transportAt: -1, destinationPort: 0, fault: 0 });
      expect(receiver.decoding.names()).toMatchObject({ transport: "udp", application: "none" });
    }
    const [from = 0, to = 0] = parts.at(-1) ?? [];
    const packet = receiver.take({ from, to });
    expect(packet).toMatchObject({ fragment: 0, destinationPort: 53, fault: 0 });
    expect(packet.payloadLength).toBe(END - 8);
    expect(receiver.decoding.names().application).toBe("dns");
    expect(receiver.decoding.value("nam_dns_messages_total", { kind: "query" })).toBe(1);
    expect(receiver.result("reassembled")).toBe(1);
    expect(receiver.decoding.value("nam_ip_fragments_total", { version })).toBe(parts.length);
    expect(receiver.decoding.sums().packets).toEqual([3, 3, 3]);
  });

  it("keep the headers of their frame before the datagram", () => {
    const receiver = new Receiver(version);
    receiver.take({ from: 0, to: 48 });
    const { view, ethernetAt, networkAt } = receiver.take({ from: 48, to: END });
    expect(view.getUint16(ethernetAt + 12)).toBe(version === "ipv4" ? 0x0800 : 0x86dd);
    expect(view.getUint8(networkAt) >>> 4).toBe(version === "ipv4" ? 4 : 6);
  });

  it("are kept apart by identification", () => {
    const receiver = new Receiver(version);
    receiver.take({ from: 0, to: 48, id: 1 });
    receiver.take({ from: 48, to: END, id: 2 });
    expect(receiver.result("reassembled")).toBe(0);
    receiver.take({ from: 0, to: 48, id: 2 });
    expect(receiver.result("reassembled")).toBe(1);
  });

  it("may come twice", () => {
    const receiver = new Receiver(version);
    receiver.take({ from: 0, to: 48 });
    receiver.take({ from: 0, to: 48 });
    expect(receiver.take({ from: 48, to: END }).destinationPort).toBe(53);
    expect(receiver.result("overlapping")).toBe(0);
  });

  const other = Uint8Array.from(datagram, (byte) => byte ^ 0xff);
  it.each<[string, Part]>([
    ["in part", { from: 16, to: 56 }],
    ["with other bytes", { from: 0, to: 48, data: other }],
    ["behind the end", { from: END, to: END + 8, data: new Uint8Array(END + 8), more: true }],
    ["with another end", { from: 48, to: END - 3, more: false }],
  ])("that overlap %s refuse the datagram, whatever comes later", (_name, part) => {
    const receiver = new Receiver(version);
    receiver.take({ from: 0, to: 48 });
    receiver.take({ from: 56, to: END });
    receiver.take(part);
    expect(receiver.result("overlapping")).toBe(1);
    expect(receiver.take({ from: 48, to: 56 }).fragment).toBe(2);
    for (const [from, to] of [
      [0, 48],
      [48, 56],
      [56, END],
    ] as const)
      receiver.take({ from, to });
    expect(receiver.result("reassembled")).toBe(0);
    expect(receiver.result("overlapping")).toBe(1);
  });

  it("are given up after 30 seconds", () => {
    const receiver = new Receiver(version);
    receiver.take({ from: 0, to: 48 });
    receiver.seconds += 29;
    receiver.take({ from: 0, to: 48, id: 99 });
    expect(receiver.result("timed_out")).toBe(0);
    receiver.seconds += 1;
    expect(receiver.take({ from: 48, to: END }).fragment).toBe(2);
    expect(receiver.result("timed_out")).toBe(1);
  });

  it("push out the oldest datagram where there is no room", () => {
    const receiver = new Receiver(version);
    for (let id = 0; id < 200; id++) receiver.take({ from: 0, to: 48, id });
    expect(receiver.result("no_room")).toBe(200 - 64);
    expect(receiver.take({ from: 48, to: END, id: 199 }).destinationPort).toBe(53);
    expect(receiver.take({ from: 48, to: END, id: 0 }).fragment).toBe(2);
  });

  it.each<[string, Part]>([
    ["of a length that no other can follow", { from: 0, to: 20, more: true }],
    [
      "that end beyond the longest datagram",
      { from: 0xfff8, to: 0xfff8 + 80, data: new Uint8Array(0x10100) },
    ],
  ])("%s are not kept", (_name, part) => {
    const receiver = new Receiver(version);
    receiver.take(part);
    expect(receiver.result("unusable")).toBe(1);
  });

  it("that the capture cut are not kept, and the first shows its ports", () => {
    const receiver = new Receiver(version);
    const content = fragment(version, { from: 0, to: 48 });
    const cut = content.subarray(0, content.length - 16);
    receiver.decoding.take(frameOf(cut, { wireLength: content.length }));
    expect(receiver.decoding.packet).toMatchObject({ fragment: 1, destinationPort: 53 });
    expect(receiver.result("unusable")).toBe(1);
  });

  it("can make the longest datagram there is", () => {
    const receiver = new Receiver(version);
    const data = udp({ destinationPort: 9, payload: new Uint8Array(65_500) });
    for (let from = 0; from < data.length; from += 1448) {
      receiver.take({ from, to: Math.min(from + 1448, data.length), data });
    }
    expect(receiver.decoding.packet).toMatchObject({ fragment: 0, payloadLength: 65_500 });
  });
});

describe("fragments", () => {
  it("of IPv6 that are the whole are no fragments (RFC 6946)", () => {
    const receiver = new Receiver("ipv6");
    const packet = receiver.take({ from: 0, to: END });
    expect(packet).toMatchObject({ fragment: 0, destinationPort: 53 });
    expect(receiver.decoding.value("nam_ip_fragments_total")).toBe(0);
  });

  it("may be those of a tunnel, whose packet then shows", () => {
    const inner = ipv6({ nextHeader: 17, payload: datagram });
    const outer = (from: number, to: number, more: boolean): Bytes =>
      ethernet(
        0x0800,
        ipv4({
          protocol: 41,
          fragment: (more ? 0x2000 : 0) | (from / 8),
          payload: inner.subarray(from, to),
        }),
      );
    const decoding = new Decoding();
    decoding.takeBytes(outer(0, 64, true));
    expect(decoding.names()).toMatchObject({ network: "ipv4", transport: "other" });
    const packet = decoding.takeBytes(outer(64, inner.length, false));
    expect(decoding.names()).toEqual({ network: "ipv6", transport: "udp", application: "dns" });
    expect(packet).toMatchObject({ ipVersion: 6, fault: 0 });
    expect(decoding.value("nam_tunnel_packets_total", { protocol: "ipv6_in_ip" })).toBe(1);
  });
});
