// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { Direction, LinkType } from "../../src/capture/source.ts";
import { LayerIndex, Stop } from "../../src/decode/protocol.ts";
import { Decoding } from "./decoding.ts";
import { bytes, ethernet, hex, ipv4, ipv6, MACS, u16, udp, vlanTag } from "./frames.ts";

const inner = ipv4({ protocol: 17, payload: udp({ payload: bytes("data") }) });
const inner6 = ipv6({ nextHeader: 17, payload: udp({ payload: bytes("data") }) });

describe("ethernet", () => {
  it("finds the network header by its type", () => {
    const packet = new Decoding().takeBytes(ethernet(0x0800, inner));
    expect(packet).toMatchObject({ ethernetAt: 0, networkAt: 14, vlanId: -1, fault: 0 });
  });

  it("counts an unknown type as other, and as unsupported in the network layer", () => {
    const decoding = new Decoding();
    decoding.takeBytes(ethernet(0x88b5, bytes("experimental")));
    expect(decoding.names()).toEqual({ network: "other", transport: "none", application: "none" });
    expect(
      decoding.value("nam_frame_errors_total", { layer: "network", reason: "unsupported" }),
    ).toBe(1);
  });

  it("takes numbers up to 1500 for a length, behind which is padding", () => {
    const content = bytes(MACS, u16(8 + inner.length), hex("aaaa03 000000 0800"), inner, "padding");
    const decoding = new Decoding();
    const packet = decoding.takeBytes(content);
    expect(decoding.names().network).toBe("ipv4");
    expect(packet.end).toBe(content.length - "padding".length);
  });

  it("says that a number between length and type is neither", () => {
    const packet = new Decoding().takeBytes(ethernet(0x05dd, inner));
    expect(packet).toMatchObject({ fault: Stop.UNSUPPORTED, faultLayer: LayerIndex.LINK });
  });

  it.each([
    ["SNAP of a vendor", "aaaa03 00000c 2000"],
    ["IPX", "ffff03 0000 0000"],
  ])("counts %s as other", (_name, llc) => {
    const decoding = new Decoding();
    const payload = hex(llc);
    const packet = decoding.takeBytes(bytes(MACS, u16(payload.length), payload));
    expect(decoding.names().network).toBe("other");
    expect(packet.fault).toBe(Stop.UNSUPPORTED);
  });
});

describe("vlan", () => {
  it.each([0x8100, 0x88a8, 0x9100, 0x9200])("reads a tag of type 0x%s", (tpid) => {
    const packet = new Decoding().takeBytes(ethernet(tpid, vlanTag(0x2064, 0x0800, inner)));
    expect(packet).toMatchObject({ vlanId: 100, networkAt: 18, ipVersion: 4 });
  });

  it("keeps the outermost identifier of stacked tags", () => {
    const stacked = vlanTag(200, 0x8100, vlanTag(7, 0x86dd, inner6));
    const packet = new Decoding().takeBytes(ethernet(0x88a8, stacked));
    expect(packet).toMatchObject({ vlanId: 200, networkAt: 22, ipVersion: 6 });
  });

  it("reads LLC behind a tag", () => {
    const llc = bytes(hex("aaaa03 000000 0800"), inner);
    const decoding = new Decoding();
    decoding.takeBytes(ethernet(0x8100, vlanTag(5, llc.length, llc)));
    expect(decoding.names().network).toBe("ipv4");
  });

  it("takes the tag that the kernel took out, which is outermost and not in memory", () => {
    const content = ethernet(0x8100, vlanTag(7, 0x0800, inner));
    const packet = new Decoding().takeBytes(content, {
      vlanTpid: 0x8100,
      vlanTci: 0xe000 | 9,
      wireLength: content.length + 4,
    });
    expect(packet).toMatchObject({ vlanId: 9, cut: false, fault: 0 });
  });

  it("gives up on more tags than anyone stacks", () => {
    let content = inner;
    for (let depth = 0; depth < 20; depth++)
      content = vlanTag(1, depth === 0 ? 0x0800 : 0x8100, content);
    const packet = new Decoding().takeBytes(ethernet(0x8100, content));
    expect(packet).toMatchObject({ fault: Stop.MALFORMED, faultLayer: LayerIndex.LINK });
  });
});

describe("linux_sll", () => {
  it.each([
    [0, Direction.IN],
    [1, Direction.IN],
    [3, Direction.OUT],
    [4, Direction.OUT],
  ])("with packet type %i has direction %i", (packetType, direction) => {
    const header = bytes(u16(packetType), hex("0001 0006 0200000000010000 0800"));
    const packet = new Decoding(["192.168.0.0/16"]).takeBytes(bytes(header, inner), {
      linkType: LinkType.LINUX_SLL,
    });
    // Type 3, between other hosts, leaves it to the addresses.
    expect(packet).toMatchObject({ direction, networkAt: 16, ethernetAt: -1 });
  });

  it("does not override the capture", () => {
    const header = hex("0000 0001 0006 0200000000010000 0800");
    const packet = new Decoding().takeBytes(bytes(header, inner), {
      linkType: LinkType.LINUX_SLL,
      direction: Direction.OUT,
    });
    expect(packet.direction).toBe(Direction.OUT);
  });

  it("takes netlink messages for no EtherType", () => {
    const packet = new Decoding().takeBytes(
      bytes(hex("0004 0338 0000 0000000000000000 0800"), inner),
      {
        linkType: LinkType.LINUX_SLL,
      },
    );
    expect(packet).toMatchObject({ fault: Stop.UNSUPPORTED, ipVersion: 0 });
  });
});

describe("linux_sll2", () => {
  it("reads protocol and packet type", () => {
    const header = hex("0800 0000 00000003 0001 04 06 0200000000010000");
    const packet = new Decoding().takeBytes(bytes(header, inner), {
      linkType: LinkType.LINUX_SLL2,
    });
    expect(packet).toMatchObject({ direction: Direction.OUT, networkAt: 20, ipVersion: 4 });
  });
});

describe("raw_ip", () => {
  it.each([
    [LinkType.RAW, inner, 4],
    [LinkType.RAW, inner6, 6],
    [LinkType.IPV4, inner, 4],
    [LinkType.IPV6, inner6, 6],
  ])("on link type %i reads the version", (linkType, content, ipVersion) => {
    expect(new Decoding().takeBytes(content, { linkType })).toMatchObject({
      ipVersion,
      networkAt: 0,
    });
  });

  it("calls any other version malformed", () => {
    const packet = new Decoding().takeBytes(hex("50000000"), { linkType: LinkType.RAW });
    expect(packet.fault).toBe(Stop.MALFORMED);
  });
});

describe("null_loopback", () => {
  it.each([
    ["little endian", "02000000", inner, 4],
    ["big endian", "00000002", inner, 4],
    ["macOS", "1e000000", inner6, 6],
    ["FreeBSD", "1c000000", inner6, 6],
    ["OpenBSD", "00000018", inner6, 6],
    ["an EtherType in the second half", "0f000800", inner, 4],
  ])("reads %s", (_name, header, content, ipVersion) => {
    const packet = new Decoding().takeBytes(bytes(hex(header), content), {
      linkType: LinkType.NULL,
    });
    expect(packet).toMatchObject({ ipVersion, networkAt: 4, fault: 0 });
  });

  it("does not know other families", () => {
    const packet = new Decoding().takeBytes(bytes(hex("07000000"), inner), {
      linkType: LinkType.NULL,
    });
    expect(packet).toMatchObject({ fault: Stop.UNSUPPORTED, faultLayer: LayerIndex.LINK });
  });
});

describe("a link type that is not known", () => {
  it("is unsupported, and counts as other", () => {
    const decoding = new Decoding();
    const packet = decoding.takeBytes(inner, { linkType: 147 });
    expect(packet).toMatchObject({ fault: Stop.UNSUPPORTED, faultLayer: LayerIndex.LINK });
    expect(decoding.names()).toEqual({ network: "other", transport: "none", application: "none" });
  });
});
