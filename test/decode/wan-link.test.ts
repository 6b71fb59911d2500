// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { Direction, LinkType } from "../../src/capture/source.ts";
import { LayerIndex, Stop } from "../../src/decode/protocol.ts";
import { Decoding } from "./decoding.ts";
import { type Bytes, bytes, ethernet, hex, ipv4, ipv6, MACS, u16, udp } from "./frames.ts";

const inner = ipv4({ protocol: 17, payload: udp({ payload: bytes("data") }) });
const inner6 = ipv6({ nextHeader: 17, payload: udp({ payload: bytes("data") }) });
const llc = hex("aaaa03 000000 0800");

function on(linkType: number, ...parts: readonly Bytes[]): Decoding {
  const decoding = new Decoding();
  decoding.takeBytes(bytes(...parts), { linkType });
  return decoding;
}

function version(linkType: number, ...parts: readonly Bytes[]): number {
  const { packet } = on(linkType, ...parts);
  expect(packet.fault).toBe(0);
  return packet.ipVersion;
}

/** Counted, not understood to be IP, and nothing wrong with it. */
function expectEnd(decoding: Decoding): void {
  expect(decoding.names()).toEqual({ network: "other", transport: "none", application: "none" });
  expect(decoding.packet.fault).toBe(0);
}

describe("ppp", () => {
  it.each<[string, Bytes, number]>([
    ["with address and control", bytes(hex("ff03 0021"), inner), 4],
    ["without", bytes(hex("0057"), inner6), 6],
    ["with a protocol in one byte", bytes(hex("21"), inner), 4],
    ["with MPLS", bytes(hex("ff03 0281 00010140"), inner6), 6],
  ])("is read %s", (_name, content, expected) => {
    expect(version(LinkType.PPP, content)).toBe(expected);
    expect(version(LinkType.PPP_HDLC, content)).toBe(expected);
  });

  it("ends with control protocols, and does not know compressed ones", () => {
    expectEnd(on(LinkType.PPP, hex("ff03 c021 0101 0004")));
    const { packet } = on(LinkType.PPP, hex("ff03 00fd 0102"));
    expect(packet).toMatchObject({ fault: Stop.UNSUPPORTED, faultLayer: LayerIndex.LINK });
  });

  it.each([
    ["00", Direction.IN],
    ["01", Direction.OUT],
  ])("takes direction %s from the byte before it", (byte, direction) => {
    const { packet } = on(LinkType.PPP_WITH_DIR, hex(byte), hex("ff03 0021"), inner);
    expect(packet).toMatchObject({ direction, ipVersion: 4 });
  });
});

describe("pppoe", () => {
  it("reads a session, behind whose length is padding", () => {
    const session = bytes(hex("1100 002a"), u16(inner.length + 2), hex("0021"), inner, "padding");
    const decoding = new Decoding();
    const packet = decoding.takeBytes(ethernet(0x8864, session));
    expect(packet).toMatchObject({ ipVersion: 4, fault: 0, networkAt: 22 });
    expect(packet.end).toBe(22 + inner.length);
  });

  it("ends with discovery, and does not know another version", () => {
    const decoding = new Decoding();
    decoding.takeBytes(ethernet(0x8863, hex("1109 0000 0004 01010000")));
    expectEnd(decoding);
    const packet = new Decoding().takeBytes(ethernet(0x8864, hex("2100 0001 0002 0021")));
    expect(packet.fault).toBe(Stop.UNSUPPORTED);
  });
});

describe("cisco_hdlc", () => {
  it("reads a type, and ends with keep-alives, whose number is RARP elsewhere", () => {
    expect(version(LinkType.C_HDLC, hex("0f00 0800"), inner)).toBe(4);
    expect(version(LinkType.PPP_HDLC, hex("0f00 86dd"), inner6)).toBe(6);
    expectEnd(on(LinkType.C_HDLC, hex("8f00 8035 00000002 00000005 00000002 ffff")));
  });
});

describe("frame_relay", () => {
  it.each<[string, Bytes]>([
    ["Cisco's type", hex("1861 0800")],
    ["a protocol identifier", hex("1861 03 cc")],
    ["SNAP behind padding", hex("1861 03 00 80 000000 0800")],
    ["a bridged frame", bytes(hex("1861 03 00 80 0080c2 0007"), MACS, hex("0800"))],
    ["an address of four bytes", hex("18 60 60 61 03 cc")],
  ])("is read with %s", (_name, header) => {
    expect(version(LinkType.FRELAY, header, inner)).toBe(4);
  });

  it("ends with the line's own management, and refuses an address without end", () => {
    expectEnd(on(LinkType.FRELAY, hex("fcf1 03 09 00 75")));
    expect(on(LinkType.FRELAY, hex("101010101010")).packet.fault).toBe(Stop.MALFORMED);
  });
});

describe("mpls", () => {
  const frame = ethernet(0x0800, inner);
  it.each<[string, Bytes, number]>([
    ["IPv4 below one label", bytes(hex("00010140"), inner), 4],
    ["IPv6 below three", bytes(hex("00010040 00020040 00030140"), inner6), 6],
    ["Ethernet with a control word", bytes(hex("00010140 00000000"), frame), 4],
    ["Ethernet without", bytes(hex("00010140"), frame), 4],
  ])("finds %s", (_name, content, expected) => {
    expect(new Decoding().takeBytes(ethernet(0x8847, content))).toMatchObject({
      ipVersion: expected,
      fault: 0,
    });
  });

  it("ends with an associated channel, and gives up on a stack without bottom", () => {
    const decoding = new Decoding();
    decoding.takeBytes(ethernet(0x8847, hex("00010140 10000021 45000000")));
    expectEnd(decoding);
    const packet = new Decoding().takeBytes(ethernet(0x8847, new Uint8Array(200)));
    expect(packet.fault).toBe(Stop.MALFORMED);
  });
});

describe("ieee80211", () => {
  const addresses = hex("0000 020000000001 020000000002 020000000003 1000");
  it.each<[string, Bytes]>([
    ["data", bytes(hex("0801"), addresses)],
    ["data between access points", bytes(hex("0803"), addresses, hex("020000000004"))],
    ["data with quality of service", bytes(hex("8802"), addresses, hex("0000"))],
    ["data with HT control", bytes(hex("8882"), addresses, hex("0000 00000000"))],
    [
      "the first of an aggregate",
      bytes(hex("8802"), addresses, hex("8000"), MACS, u16(llc.length + inner.length)),
    ],
  ])("reads %s", (_name, header) => {
    expect(version(LinkType.IEEE802_11, header, llc, inner)).toBe(4);
  });

  it.each<[string, Bytes]>([
    ["a beacon", bytes(hex("8000"), addresses)],
    ["an acknowledgement", hex("d400 0000 020000000001")],
    ["data without data", bytes(hex("4801"), addresses)],
    ["encrypted data", bytes(hex("0841"), addresses, hex("0102030405060708"))],
  ])("ends with %s", (_name, content) => {
    expectEnd(on(LinkType.IEEE802_11, content));
  });

  it("does not put parts of a frame together", () => {
    const { packet } = on(LinkType.IEEE802_11, hex("0805"), addresses, llc, inner);
    expect(packet.fault).toBe(Stop.UNSUPPORTED);
  });

  it("leaves out padding and checksum that radiotap speaks of", () => {
    const radiotap = hex("00 00 1900 030000a0 000000a0 00000000 0102030405060708 30");
    const header = bytes(hex("8802"), addresses, hex("0000 0000"));
    const { packet } = on(
      LinkType.IEEE802_11_RADIOTAP,
      radiotap,
      header,
      llc,
      inner,
      hex("deadbeef"),
    );
    expect(packet).toMatchObject({ ipVersion: 4, fault: 0 });
    expect(packet.sentEnd).toBe(radiotap.length + header.length + llc.length + inner.length);
  });

  it("ends with frames that were damaged on the air", () => {
    const radiotap = hex("00 00 0900 02000000 40");
    expectEnd(on(LinkType.IEEE802_11_RADIOTAP, radiotap, hex("0801"), addresses, llc, inner));
  });
});

describe("nflog", () => {
  it("finds the packet among the attributes, in either byte order", () => {
    const little = bytes(
      hex("0200 0001 0500 0a00 41000000"),
      Uint8Array.of(inner.length + 4, 0),
      hex("0900"),
    );
    expect(version(LinkType.NFLOG, little, inner)).toBe(4);
    const big = bytes(hex("0a00 0001 0008 0001 86dd0300"), u16(inner6.length + 4), hex("0009"));
    expect(version(LinkType.NFLOG, big, inner6)).toBe(6);
  });

  it("does not know a record without a packet", () => {
    expect(on(LinkType.NFLOG, hex("0200 0001 0500 0a00 41000000")).packet.fault).toBe(
      Stop.UNSUPPORTED,
    );
    expect(on(LinkType.NFLOG, hex("0200 0001 0300 0a00")).packet.fault).toBe(Stop.MALFORMED);
  });
});
