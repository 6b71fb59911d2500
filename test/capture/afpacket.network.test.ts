// SPDX-License-Identifier: AGPL-3.0-or-later
// What only afpacket promises: exact accounts of loss, second copies on the loopback left out, all interfaces at once,
// tunnels, and sharing by fanout.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AfPacketSource } from "../../src/capture/afpacket.ts";
import { Direction, LinkType } from "../../src/capture/source.ts";
import { until } from "../support/lab.ts";
import { canMakeNamespaces } from "../support/namespaces.ts";
import { hasTunnels } from "./available.ts";
import { CaptureLab, DEFAULT_SETTINGS } from "./capture-lab.ts";
import { ARP, BROADCAST, ethernet, IPV4 } from "./frames.ts";

describe.runIf(canMakeNamespaces())("afpacket", () => {
  let lab: CaptureLab;

  beforeAll(async () => {
    lab = await CaptureLab.create();
  });
  afterAll(() => lab.lab.close());

  const inB = (...command: [string, ...string[]]): Promise<string> =>
    lab.lab.exec(lab.lab.b, ...command);

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

  it.runIf(hasTunnels())(
    "delivers the IP packets of a tunnel from their own header on",
    async () => {
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
    },
  );

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

  it("delivers nothing when it was stopped before it ran, and can be closed twice", async () => {
    const source = new AfPacketSource({ ...DEFAULT_SETTINGS, interfaceName: "lo", ringMib: 1 });
    await source.open();
    source.stop();
    await source.run(() => expect.unreachable());
    source.close();
    source.close();
    expect(source.stats()).toMatchObject({ received: 0, ringFill: 0 });
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
