// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { createSource, type SourceSettings } from "../../src/capture/all.ts";
import { namesToLookUp } from "../../src/capture/filter-names.ts";

describe("namesToLookUp", () => {
  it.each([
    "",
    "tcp port 443",
    "not port 22 and not (udp dst portrange 60000-61000)",
    "host 10.0.0.1 or host 2001:db8::1 or net 192.168.0.0/16 or net 10 or ip6 host ::1",
    "src net 10.1 and dst host 1.2.3.4",
    "ether host 02:00:00:00:00:01 or ether host 02-00-00-00-00-01 or ether host 0200.0000.0001",
    "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0 and icmp[icmptype] == icmp-echo",
    "tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420",
    "port domain or port https or ip proto \\tcp or ip protochain 6",
    "vlan 100 && mpls 1024 || pppoes 0x27",
    "less 128 or greater 0x40 or len <= 100 or broadcast or ip multicast",
    "udp port 53 and ip6[6] == 0x11 and icmp6[icmp6type] == icmp6-neighborsolicit",
  ])("finds none in %s", (filter) => {
    expect(namesToLookUp(filter)).toEqual([]);
  });

  it.each([
    ["host example.com", ["example.com"]],
    ["not host gateway-1 and port 53", ["gateway-1"]],
    ["src WWW.Example.ORG or dst 10.0.0.1", ["www.example.org"]],
    ["host cafe.de or host beef", ["cafe.de", "beef"]],
    ["net office", ["office"]],
    ["gateway router", ["router"]],
    ["host 10.0.0.1 or printer", ["printer"]],
    ["host 3com", ["3com"]],
  ])("finds the names in %s", (filter, names) => {
    expect(namesToLookUp(filter)).toEqual(names);
  });
});

describe("createSource", () => {
  const settings: SourceSettings = {
    source: "auto",
    interfaceName: "lo",
    filter: "host example.com",
    stealth: false,
    snaplen: 2048,
    promiscuous: false,
    ringMib: 1,
    fanoutGroup: null,
  };

  it("makes the source that is named, or that suits the system", async () => {
    const auto = await createSource(settings);
    expect(auto.name).toBe(process.platform === "linux" ? "afpacket" : "cap");
    const cap = await createSource({ ...settings, source: "cap" });
    expect([cap.name, cap.interfaceName]).toEqual(["cap", "lo"]);
  });

  it.each([
    ["names in the filter", { source: "afpacket" }, "CAPTURE_FILTER", /example\.com/],
    ["the source cap", { source: "cap", filter: "" }, "CAPTURE_SOURCE_UNAVAILABLE", /promiscuous/],
  ] as const)("refuses %s in stealth mode", async (_, changes, code, words) => {
    await expect(createSource({ ...settings, ...changes, stealth: true })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(words),
    });
  });

  it("refuses to share an interface through cap", async () => {
    await expect(
      createSource({ ...settings, source: "cap", fanoutGroup: 1 }),
    ).rejects.toMatchObject({ code: "CAPTURE_SOURCE_UNAVAILABLE" });
  });
});
