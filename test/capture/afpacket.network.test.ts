// SPDX-License-Identifier: AGPL-3.0-or-later
// What only afpacket promises: exact accounts of loss, second copies on the loopback, interfaces that come and go,
// sharing by fanout, filters, permission, and silence.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AfPacketSource } from "../../src/capture/afpacket.ts";
import { Direction, LinkType } from "../../src/capture/source.ts";
import { until } from "../support/lab.ts";
import { canMakeNamespaces } from "../support/namespaces.ts";
import { CaptureLab, DEFAULT_SETTINGS } from "./capture-lab.ts";
import { ARP, BROADCAST, ethernet, IPV4, VLAN_5 } from "./frames.ts";

const NOT_PERMITTED = ["setpriv", "--bounding-set", "-net_raw"];
const IFF_PROMISC = 0x100;

describe.runIf(canMakeNamespaces())("afpacket", () => {
  let lab: CaptureLab;

  beforeAll(async () => {
    lab = await CaptureLab.create();
  });
  afterAll(() => lab.lab.close());

  const inB = (...command: [string, ...string[]]): Promise<string> =>
    lab.lab.exec(lab.lab.b, ...command);

  const receivedByB = async (): Promise<number> =>
    Number(await inB("cat", "/sys/class/net/lab0/statistics/rx_packets"));

  const interfaceFlags = async (): Promise<number> =>
    Number(await inB("cat", "/sys/class/net/lab0/flags"));

  it("delivers loopback frames once and counts their second copies", async () => {
    const capture = await lab.capture({ settings: { interfaceName: "lo" } });
    await inB("ping", "-q", "-c", "10", "-i", "0.01", "127.0.0.1");
    const { frames, snapshot } = await capture.take(20);
    expect(frames.length).toBe(20);
    expect(new Set(frames.map(({ bytes }) => Buffer.from(bytes).toString("hex"))).size).toBe(20);
    expect(frames.every(({ direction }) => direction === Direction.UNKNOWN)).toBe(true);
    expect(snapshot.stats).toMatchObject({ received: 20, duplicates: 20, droppedKernel: 0 });
    expect(snapshot.kernelPackets).toBe(40);
  });

  it("accounts for every packet that a full ring loses", async () => {
    const capture = await lab.capture({ keepFrames: false, settings: { ringMib: 1 } });
    const frame = ethernet(BROADCAST, IPV4, 500);
    capture.stall(3000);
    await lab.send([frame], { rounds: 30_000 });
    await capture.until("30,000 packets", ({ kernelPackets, stats, delivered }) => {
      return kernelPackets === 30_000 && delivered + stats.droppedKernel === 30_000;
    });
    await lab.send([frame], { rounds: 1000 });
    await capture.until("31,000 packets", ({ stats }) => stats.received === 31_000);
    const { snapshot } = await capture.stop();
    const { received, droppedKernel, droppedRing, ringFreezes } = snapshot.stats;
    expect(droppedKernel).toBeGreaterThan(20_000);
    expect(ringFreezes).toBeGreaterThan(0);
    expect(droppedRing).toBe(0);
    expect(received).toBe(snapshot.delivered + droppedKernel);
    expect(received).toBe(snapshot.kernelPackets);
    expect(snapshot.deliveredBytes).toBe(snapshot.delivered * frame.length);
  });

  it("takes frames of all interfaces, each with its own link type", async () => {
    const capture = await lab.capture({ settings: { interfaceName: "any" } });
    await lab.send([ethernet(BROADCAST, ARP, 28)]);
    await inB("ping", "-q", "-c", "1", "127.0.0.1");
    const { frames, snapshot } = await capture.take(3);
    expect(frames.map(({ linkType }) => linkType)).toEqual([1, 1, 1]);
    expect(snapshot.stats).toMatchObject({ received: 3, duplicates: 2 });
  });

  it("delivers the IP packets of a tunnel from their own header on", async () => {
    const packet = Buffer.from(
      "45000020000040004011000a0a0101020a0101010035003500000c0000000000",
      "hex",
    );
    await inB("ip", "tuntap", "add", "dev", "tun7", "mode", "tun");
    await inB("ip", "link", "set", "tun7", "up");
    const capture = await lab.capture({
      settings: { interfaceName: "tun7", filter: "udp port 53" },
    });
    await lab.send([packet], { namespace: lab.lab.b, interfaceName: "tun:tun7" });
    const { frames } = await capture.take(1);
    expect(frames[0]).toMatchObject({
      linkType: LinkType.RAW,
      wireLength: packet.length,
      direction: Direction.IN,
    });
    expect(Buffer.from(frames[0]?.bytes ?? []).equals(packet)).toBe(true);
  });

  it("shares an interface by address pair, both directions on one member", async () => {
    const settings = { fanoutGroup: 77 };
    const members = [await lab.capture({ settings }), await lab.capture({ settings })];
    const pairs = Array.from({ length: 64 }, (_, pair) => pair);
    const frames = pairs.flatMap((pair) => [
      ip(`10.1.0.${pair}`, "10.2.0.9", 1000 + pair),
      ip("10.2.0.9", `10.1.0.${pair}`, 2000 + pair),
    ]);
    const arp = ethernet(BROADCAST, ARP, 28);
    await lab.send([...frames, arp]);
    const delivered = async (): Promise<number[]> =>
      Promise.all(members.map(async (member) => (await member.snapshot()).delivered));
    await until("all frames", 5000, async () => {
      const [one = 0, other = 0] = await delivered();
      return one + other === frames.length + 1;
    });
    const recordings = await Promise.all(members.map((member) => member.stop()));
    const shares = recordings.map((recording) => recording.frames.map(({ bytes }) => hex(bytes)));
    expect(shares.flat().sort()).toEqual([...frames, arp].map(hex).sort());
    for (const share of shares) expect(share.length).toBeGreaterThan(frames.length / 8);
    for (const pair of pairs) {
      const [there, back] = [hex(frames[2 * pair]), hex(frames[2 * pair + 1])];
      expect(shares.map((share) => share.includes(there))).toEqual(
        shares.map((share) => share.includes(back)),
      );
    }
  });

  describe("filter", () => {
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
      await expect(lab.capture({ settings: { filter: "arp" } }, { wrapper })).rejects.toMatchObject(
        {
          code: "CAPTURE_FILTER",
          message: expect.stringMatching(/libpcap0\.8/),
        },
      );
    });
  });

  it("delivers nothing when it was stopped before it ran, and can be closed twice", async () => {
    const source = new AfPacketSource({ ...DEFAULT_SETTINGS, interfaceName: "lo", ringMib: 1 });
    await source.open();
    source.stop();
    await source.run(() => expect.unreachable());
    source.close();
    source.close();
    expect(source.stats()).toMatchObject({ received: 0, ringFill: 0 });
  });

  it("says how to get the permission where it has none", async () => {
    await expect(lab.capture({}, { wrapper: NOT_PERMITTED })).rejects.toMatchObject({
      code: "CAPTURE_PERMISSION",
      message: expect.stringMatching(/root.*setcap.*AmbientCapabilities.*NET_RAW/),
    });
  });

  it.each(["nope0", "much-too-long-a-name", ""])(
    "names the interfaces there are instead of %j",
    async (interfaceName) => {
      await expect(lab.capture({ settings: { interfaceName } })).rejects.toMatchObject({
        code: "CAPTURE_INTERFACE",
        message: expect.stringMatching(/lab0, lo/),
      });
    },
  );

  it("gives up root and every capability, and captures on", async () => {
    const wrapper = ["setpriv", "--groups", "4,24"];
    const capture = await lab.capture({ dropTo: "nobody" }, { wrapper });
    expect(await capture.running).toBe("nobody");
    const status = readFileSync(`/proc/${capture.processId}/status`, "utf8");
    expect(status).toMatch(/^Uid:(\s+65534){4}$/m);
    expect(status).toMatch(/^Gid:(\s+65534){4}$/m);
    expect(status).toMatch(/^Groups:\s*$/m);
    expect(status).toMatch(/^CapPrm:\s+0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    await lab.send([ethernet(BROADCAST, ARP, 28)]);
    expect((await capture.take(1)).frames.length).toBe(1);
  });

  it("sends nothing and is not promiscuous", async () => {
    const sentPackets = async (): Promise<number> =>
      Number(await inB("cat", "/sys/class/net/lab0/statistics/tx_packets"));
    const before = await sentPackets();
    const observer = await lab.capture({}, { namespace: lab.lab.a });
    const capture = await lab.capture({ dropTo: "nobody", settings: { filter: "ip or arp" } });
    const frame = ethernet(BROADCAST, ARP, 28);
    await lab.send([frame], { rounds: 100 });
    await capture.until("100 frames", ({ delivered }) => delivered === 100);
    expect((await interfaceFlags()) & IFF_PROMISC).toBe(0);
    expect(await inB("ip", "-d", "link", "show", "lab0")).toContain("promiscuity 0");
    await capture.stop();
    expect(await sentPackets()).toBe(before);
    const { frames } = await observer.take(100);
    expect(frames.every(({ direction }) => direction === Direction.OUT)).toBe(true);
  });

  it("is promiscuous while it captures, and only then, when told to be", async () => {
    const capture = await lab.capture({ settings: { promiscuous: true } });
    expect(await inB("ip", "-d", "link", "show", "lab0")).toContain("promiscuity 1");
    await capture.stop();
    expect((await interfaceFlags()) & IFF_PROMISC).toBe(0);
    await expect(
      lab.capture({ settings: { promiscuous: true, interfaceName: "any" } }),
    ).rejects.toMatchObject({ code: "CAPTURE_INTERFACE" });
  });
});

function hex(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString("hex");
}

/** A UDP datagram over IPv4 between two addresses; its ports differ with `port`. */
function ip(source: string, destination: string, port: number): Uint8Array {
  const frame = Buffer.from(ethernet(BROADCAST, IPV4, 40));
  frame.set([0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 17, 0, 0], 14);
  frame.set(source.split(".").map(Number), 26);
  frame.set(destination.split(".").map(Number), 30);
  frame.writeUInt16BE(port, 34);
  return frame;
}
