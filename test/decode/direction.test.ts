// SPDX-License-Identifier: AGPL-3.0-or-later
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, it } from "vitest";
import { Direction } from "../../src/capture/source.ts";
import { HomeNetworks, isHomeMatcher } from "../../src/decode/direction.ts";
import { V4_MAPPED_WORD2 } from "../../src/util/address.ts";
import { NamError } from "../../src/util/errors.ts";
import { Decoding, HOME } from "./decoding.ts";
import { ethernet, hex, ipv4, ipv6, udp } from "./frames.ts";

function isMapped(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress();
}

describe("home networks", () => {
  const isHome = isHomeMatcher(HOME);

  it.each([
    "10.255.255.255",
    "172.16.0.1",
    "172.31.9.9",
    "192.168.4.4",
    "169.254.1.1",
    "127.0.0.1",
    "::1",
    "fd00::1",
    "fe80::1",
  ])("hold %s where they are the private ones", (address) => expect(isHome(address)).toBe(true));

  it.each([
    "11.0.0.1",
    "172.15.255.255",
    "172.32.0.0",
    "192.169.0.1",
    "8.8.8.8",
    "::2",
    "2001:db8::1",
    "fec0::1",
    "not an address",
    "10.0.0",
    "",
  ])("do not hold %s there", (address) => expect(isHome(address)).toBe(false));

  it("may be single addresses, and several in one octet", () => {
    const mixed = isHomeMatcher(["203.0.113.9", "203.0.113.128/25", "203.1.0.0/16", "2001:db8::5"]);
    for (const address of ["203.0.113.9", "203.0.113.200", "203.1.2.3", "2001:db8::5"]) {
      expect(mixed(address), address).toBe(true);
    }
    for (const address of ["203.0.113.10", "203.2.0.0", "2001:db8::6"]) {
      expect(mixed(address), address).toBe(false);
    }
  });

  it("are more than fit one octet's table", () => {
    const many = Array.from({ length: 400 }, (_, i) => `198.${i >> 4}.${(i & 15) * 16}.0/28`);
    const home = isHomeMatcher(many);
    for (const network of many) expect(home(network.split("/")[0] ?? ""), network).toBe(true);
    expect(home("198.30.0.0")).toBe(false);
  });

  it("agree with ipaddr.js on any networks and addresses", () => {
    const v4 = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map(([a, n]) => `${a}/${n}`);
    const v6 = fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 })).map(([a, n]) => `${a}/${n}`);
    const networks = fc.array(fc.oneof(v4, v6), { maxLength: 6 });
    fc.assert(
      fc.property(networks, fc.oneof(fc.ipV4(), fc.ipV6()), (home, address) => {
        const parsed = ipaddr.parse(address);
        const parsedHome = home.map((network) => ipaddr.parseCIDR(network));
        const expected = parsedHome.some(
          ([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits),
        );
        // An IPv4 address is the same host when it is written in IPv6; `::192.0.2.1` is read as one, too.
        fc.pre(![parsed, ...parsedHome.map(([network]) => network)].some(isMapped));
        expect(isHomeMatcher(home)(address)).toBe(expected);
      }),
    );
  });

  it("may be IPv4 written in IPv6", () => {
    const home = isHomeMatcher(["::ffff:192.0.2.0/120"]);
    expect(home("192.0.2.9")).toBe(true);
    expect(home("::ffff:192.0.2.9")).toBe(true);
    expect(home("192.0.3.9")).toBe(false);
  });

  it("refuse what is no network", () => {
    for (const text of ["10.0.0.0/33", "office", "10.0.0", "010.0.0.0/8", "::/129", ""]) {
      expect(() => new HomeNetworks([text]), text).toThrow(NamError);
    }
  });

  it("hold an IPv4 address by its one word", () => {
    const home = new HomeNetworks(["192.0.2.0/24"]);
    expect(home.containsV4(0xc0000217 | 0)).toBe(true);
    expect(home.contains(0, 0, V4_MAPPED_WORD2, 0xc0000317 | 0)).toBe(false);
  });
});

describe("direction", () => {
  const between = (source: string, destination: string) =>
    new Decoding().takeBytes(
      ethernet(0x0800, ipv4({ protocol: 17, payload: udp({}), source, destination })),
    ).direction;

  it("is out from home, in to home, and other within either", () => {
    expect(between("192.168.0.1", "8.8.8.8")).toBe(Direction.OUT);
    expect(between("8.8.8.8", "192.168.0.1")).toBe(Direction.IN);
    expect(between("192.168.0.1", "10.0.0.1")).toBe(Direction.UNKNOWN);
    expect(between("8.8.8.8", "9.9.9.9")).toBe(Direction.UNKNOWN);
  });

  it("is the same for IPv6", () => {
    const source = hex("fd000000000000000000000000000001");
    const packet = new Decoding().takeBytes(
      ethernet(0x86dd, ipv6({ nextHeader: 17, payload: udp({}), source })),
    );
    expect(packet.direction).toBe(Direction.OUT);
  });

  it("is the capture's where the capture knows it", () => {
    const content = ethernet(
      0x0800,
      ipv4({ protocol: 17, payload: udp({}), source: "192.168.0.1", destination: "8.8.8.8" }),
    );
    const packet = new Decoding().takeBytes(content, { direction: Direction.IN });
    expect(packet.direction).toBe(Direction.IN);
  });

  it("is a label of every family", () => {
    const decoding = new Decoding();
    decoding.takeBytes(
      ethernet(
        0x0800,
        ipv4({ protocol: 17, payload: udp({}), source: "8.8.8.8", destination: "10.0.0.1" }),
      ),
    );
    const where = { protocol: "ipv4", direction: "in" };
    expect(decoding.value("nam_network_packets_total", where)).toBe(1);
    expect(decoding.value("nam_network_bytes_total", where)).toBe(decoding.packet.wireLength);
  });
});
