// SPDX-License-Identifier: AGPL-3.0-or-later
// Filters of afpacket: what libpcap compiles is what the kernel takes, from the first packet on.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../support/lab.ts";
import { canMakeNamespaces } from "../support/namespaces.ts";
import { CaptureLab } from "./capture-lab.ts";
import { ARP, BROADCAST, ethernet, IPV4, VLAN_5 } from "./frames.ts";

describe.runIf(canMakeNamespaces())("a filter of afpacket", () => {
  let lab: CaptureLab;

  beforeAll(async () => {
    lab = await CaptureLab.create();
  });
  afterAll(() => lab.lab.close());

  const inB = (...command: [string, ...string[]]): Promise<string> =>
    lab.lab.exec(lab.lab.b, ...command);

  const receivedByB = async (): Promise<number> =>
    Number(await inB("cat", "/sys/class/net/lab0/statistics/rx_packets"));

  it("takes what matches and counts nothing else", async () => {
    const expected: Readonly<Record<string, number>> = {
      arp: 1,
      ip: 2,
      vlan: 1,
      "vlan 5": 1,
      "vlan 6": 0,
      "ether src 02:00:00:00:00:0a": 3,
      "inbound and arp": 1,
      outbound: 0,
      "greater 200": 1,
    };
    const filters = Object.keys(expected);
    const captures = await Promise.all(
      filters.map((filter) => lab.capture({ settings: { filter, ringMib: 1 } })),
    );
    const before = await receivedByB();
    await lab.send([
      ethernet(BROADCAST, ARP, 28),
      ethernet(BROADCAST, IPV4, 300),
      ethernet(BROADCAST, [...VLAN_5, ...IPV4], 80),
    ]);
    // What the interface has received has been offered to the captures.
    await until("three frames", 5000, async () => (await receivedByB()) === before + 3);
    const recordings = await Promise.all(
      captures.map((capture, index) => capture.take(expected[filters[index] ?? ""] ?? 0)),
    );
    const counts = recordings.map(({ snapshot }, index) => [
      filters[index],
      snapshot.delivered,
      snapshot.kernelPackets,
    ]);
    expect(counts).toEqual(filters.map((filter) => [filter, expected[filter], expected[filter]]));
  });

  it("keeps out what comes while the capture is being opened", async () => {
    const flood = lab.send([ethernet(BROADCAST, IPV4, 64)], { rounds: 1_000_000 });
    for (let attempt = 0; attempt < 3; attempt++) {
      const capture = await lab.capture({ settings: { filter: "arp" } });
      const { snapshot } = await capture.stop();
      expect(snapshot).toMatchObject({ delivered: 0, kernelPackets: 0 });
    }
    await flood;
  });

  it("works on all interfaces for everything above the link layer", async () => {
    const capture = await lab.capture({
      settings: { interfaceName: "any", filter: "icmp and host 127.0.0.1" },
    });
    await lab.send([ethernet(BROADCAST, ARP, 28), ethernet(BROADCAST, IPV4, 300)]);
    await inB("ping", "-q", "-c", "2", "127.0.0.1");
    expect((await capture.take(4)).snapshot).toMatchObject({ delivered: 4, kernelPackets: 8 });
  });

  it.each([
    ["lab0", "tcp prt 80", /syntax error/],
    ["any", "ether host 02:00:00:00:00:01", /ethernet/],
    ["any", "vlan 5", /VLAN/],
    ["lab0", "port 99999", /99999/],
  ])("on %s refuses %s in libpcap's words", async (interfaceName, filter, words) => {
    await expect(lab.capture({ settings: { interfaceName, filter } })).rejects.toMatchObject({
      code: "CAPTURE_FILTER",
      message: expect.stringMatching(words),
    });
  });

  it("says what to install where libpcap is missing", async () => {
    const libraries = (await inB("ldconfig", "-p")).match(/\/\S*libpcap\.so\S*$/gm) ?? [];
    const hide = libraries.map((path) => `mount --bind /dev/null "$(readlink -f ${path})"`);
    const wrapper = ["sh", "-c", `${hide.join(" && ")} && exec "$@"`, "sh"];
    await expect(lab.capture({ settings: { filter: "arp" } }, { wrapper })).rejects.toMatchObject({
      code: "CAPTURE_FILTER",
      message: expect.stringMatching(/libpcap0\.8/),
    });
  });
});
