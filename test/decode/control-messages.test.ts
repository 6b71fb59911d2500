// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { Stop } from "../../src/decode/protocol.ts";
import { Decoding } from "./decoding.ts";
import { type Bytes, bytes, ethernet, hex, ipv4, ipv6, u16, u32 } from "./frames.ts";

const PREFIX = hex("20010db8000000000000000000000000");
const TARGET = hex("fe800000000000000000000000000001");

function overIpv4(protocol: number, payload: Bytes): Decoding {
  const decoding = new Decoding();
  decoding.takeBytes(ethernet(0x0800, ipv4({ protocol, payload })));
  return decoding;
}

function overIpv6(payload: Bytes): Decoding {
  const decoding = new Decoding();
  decoding.takeBytes(ethernet(0x86dd, ipv6({ nextHeader: 58, payload })));
  return decoding;
}

/** The neighbor facts, if they are the packet's. */
function neighborOf({ packet }: Decoding) {
  const { neighbor } = packet.facts;
  return neighbor?.packet === packet.number ? neighbor : null;
}

describe("messages by kind", () => {
  it.each([
    ["icmp", 1, 8, "echo_request"],
    ["icmp", 1, 0, "echo_reply"],
    ["icmp", 1, 5, "redirect"],
    ["icmp", 1, 14, "timestamp"],
    ["icmp", 1, 42, "other"],
    ["igmp", 2, 0x11, "query"],
    ["igmp", 2, 0x12, "v1_report"],
    ["igmp", 2, 0x16, "v2_report"],
    ["igmp", 2, 0x17, "leave"],
    ["igmp", 2, 0x22, "v3_report"],
    ["igmp", 2, 0x13, "other"],
  ])("of %s: protocol %i, type %i is %s", (name, protocol, type, kind) => {
    const decoding = overIpv4(protocol, bytes(type, new Uint8Array(27)));
    expect(decoding.value(`nam_${name}_messages_total`, { kind })).toBe(1);
    expect(decoding.value(`nam_${name}_messages_total`)).toBe(1);
  });

  it.each([
    [1, "unreachable"],
    [2, "packet_too_big"],
    [128, "echo_request"],
    [130, "mld_query"],
    [143, "mld_report"],
    [200, "other"],
  ])("of icmpv6: type %i is %s", (type, kind) => {
    const decoding = overIpv6(bytes(type, new Uint8Array(27)));
    expect(decoding.value("nam_icmpv6_messages_total", { kind })).toBe(1);
  });

  it("of sctp are its chunks", () => {
    const chunk = (type: number, length: number): Bytes =>
      bytes(type, 0, u16(length), new Uint8Array(((length + 3) & -4) - 4));
    const header = bytes(u16(5000), u16(80), u32(1), u32(0));
    const decoding = overIpv4(
      132,
      bytes(header, chunk(3, 16), chunk(0, 18), chunk(0, 17), chunk(192, 8)),
    );
    const count = (kind: string): number => decoding.value("nam_sctp_chunks_total", { kind });
    expect([count("sack"), count("data"), count("other")]).toEqual([1, 2, 1]);
    expect(decoding.packet.fault).toBe(0);
    expect(overIpv4(132, bytes(header, hex("0100 0003"))).packet.fault).toBe(Stop.MALFORMED);
    expect(overIpv4(132, bytes(header, hex("0100 0100"))).packet.fault).toBe(Stop.MALFORMED);
  });
});

describe("neighbor discovery", () => {
  const prefix = bytes(hex("0304 40c0 00278d00 00093a80 00000000"), PREFIX);
  const advertisement = bytes(
    hex("8600 0000 40 88 0708 00000000 00000000"),
    hex("0101 020000000001"),
    prefix,
  );

  it("tells what a router advertises, and where its addresses are", () => {
    const decoding = overIpv6(advertisement);
    const facts = neighborOf(decoding);
    expect(facts).toMatchObject({
      ...{ type: 134, lifetimeSeconds: 1800, routerFlags: 0x88, targetAt: -1, targetLinkAt: -1 },
      ...{ prefixLength: 64, prefixLifetimeSeconds: 0x278d00 },
    });
    const { view } = decoding.packet;
    expect(view.getUint16(facts?.prefixAt ?? 0)).toBe(0x2001);
    expect(view.getUint16(facts?.sourceLinkAt ?? 0)).toBe(0x0200);
    expect(decoding.value("nam_icmpv6_messages_total", { kind: "router_advertisement" })).toBe(1);
  });

  it("tells whose address a neighbor claims", () => {
    const facts = neighborOf(
      overIpv6(bytes(hex("8800 0000 20000000"), TARGET, hex("0201 020000000009"))),
    );
    expect(facts).toMatchObject({ type: 136, neighborFlags: 0x20, sourceLinkAt: -1, prefixAt: -1 });
    expect((facts?.targetLinkAt ?? 0) - (facts?.targetAt ?? 0)).toBe(18);
  });

  it.each<[string, Bytes]>([
    [
      "an option without length",
      bytes(hex("8700 0000 00000000"), TARGET, hex("0100 020000000001")),
    ],
    [
      "an option that is not all there",
      bytes(hex("8700 0000 00000000"), TARGET, hex("0102 020000000001")),
    ],
    ["half an option", bytes(hex("8700 0000 00000000"), TARGET, hex("0101 0200"))],
    ["no target", hex("8700 0000 00000000")],
  ])("tells nothing of a message with %s", (_name, message) => {
    const decoding = overIpv6(message);
    expect(decoding.packet.fault).toBe(Stop.MALFORMED);
    expect(neighborOf(decoding)).toBeNull();
  });

  it("is not told of other messages", () => {
    expect(neighborOf(overIpv6(hex("8000 0000 00010001")))).toBeNull();
  });
});
