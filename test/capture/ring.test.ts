// SPDX-License-Identifier: AGPL-3.0-or-later
// The ring reader over memory laid out as the kernel does it (linux/if_packet.h), without a kernel.
import { describe, expect, it } from "vitest";
import { Delivery } from "../../src/capture/delivery.ts";
import { FRAMES_AHEAD } from "../../src/capture/look-ahead.ts";
import { RingLoop } from "../../src/capture/ring-loop.ts";
import { Direction, LinkType } from "../../src/capture/source.ts";
import { BlockState, PacketRing } from "../../src/capture/tpacket.ts";
import { type CopiedFrame, copyFrame, poison } from "./recorder.ts";

const BLOCK_BYTES = 8192;
const FIRST_PACKET = 48;
const HEADER_BYTES = 68;
const READY = 1;
const TIMED_OUT = 1 << 5;
const VLAN_VALID = 1 << 4;
const TPID_VALID = 1 << 6;

interface RingPacket {
  readonly bytes: readonly number[];
  readonly wireLength?: number;
  readonly status?: number;
  readonly tci?: number;
  readonly tpid?: number;
  readonly hardwareType?: number;
  readonly packetType?: number;
  readonly protocol?: number;
  /** Bytes of link-layer header. */
  readonly linkBytes?: number;
}

class FakeKernel {
  readonly memory: ArrayBuffer;
  readonly ring: PacketRing;
  readonly #view: DataView;

  constructor(blocks: number) {
    this.memory = new ArrayBuffer(blocks * BLOCK_BYTES);
    this.#view = new DataView(this.memory);
    this.ring = new PacketRing(this.memory, BLOCK_BYTES);
  }

  status(block: number): number {
    return this.#view.getUint32(block * BLOCK_BYTES + 8, true);
  }

  hand(block: number, packets: readonly RingPacket[], status = READY): void {
    const base = block * BLOCK_BYTES;
    const view = this.#view;
    view.setUint32(base + 12, packets.length, true);
    view.setUint32(base + 16, FIRST_PACKET, true);
    let at = base + FIRST_PACKET;
    for (const packet of packets) at = this.#write(at, packet);
    view.setUint32(base + 8, status, true);
  }

  #write(at: number, packet: RingPacket): number {
    const view = this.#view;
    const { bytes, linkBytes = 14 } = packet;
    const size = (HEADER_BYTES + bytes.length + 7) & ~7;
    const words = [
      size,
      1_700_000_000,
      123_456_789,
      bytes.length,
      packet.wireLength ?? bytes.length,
    ];
    for (const [index, word] of [...words, packet.status ?? 0].entries()) {
      view.setUint32(at + 4 * index, word, true);
    }
    view.setUint16(at + 24, HEADER_BYTES, true);
    view.setUint16(at + 26, HEADER_BYTES + linkBytes, true);
    view.setUint32(at + 32, packet.tci ?? 0, true);
    view.setUint16(at + 36, packet.tpid ?? 0, true);
    view.setUint16(at + 48, 17, true);
    view.setUint16(at + 50, packet.protocol ?? 0x0800, false);
    view.setUint16(at + 56, packet.hardwareType ?? 1, true);
    view.setUint8(at + 58, packet.packetType ?? 0);
    new Uint8Array(this.memory).set(bytes, at + HEADER_BYTES);
    return at + size;
  }
}

function collect(): { delivery: Delivery; frames: CopiedFrame[] } {
  const frames: CopiedFrame[] = [];
  const delivery = new Delivery((frame) => {
    frames.push(copyFrame(frame));
    poison(frame);
  });
  return { delivery, frames };
}

function deliverOne(packet: RingPacket): CopiedFrame | undefined {
  const kernel = new FakeKernel(1);
  kernel.hand(0, [packet]);
  const { delivery, frames } = collect();
  kernel.ring.deliverBlock(delivery);
  return frames[0];
}

const ramp = (length: number): number[] => Array.from({ length }, (_, index) => index & 255);

describe("PacketRing", () => {
  it("delivers block after block, round and round, and hands each back", () => {
    const kernel = new FakeKernel(3);
    const { delivery, frames } = collect();
    expect(kernel.ring.deliverBlock(delivery)).toBe(BlockState.NONE);
    for (let block = 0; block < 10; block++) {
      const packets = [{ bytes: [block, 1, 2] }, { bytes: ramp(77) }, { bytes: [] }];
      kernel.hand(block % 3, packets, block % 2 === 0 ? READY : READY | TIMED_OUT);
      const state = block % 2 === 0 ? BlockState.FULL : BlockState.TIMED_OUT;
      expect(kernel.ring.deliverBlock(delivery)).toBe(state);
      expect(kernel.status(block % 3)).toBe(0);
      expect(frames.splice(0).map(({ bytes }) => [...bytes])).toEqual(
        packets.map(({ bytes }) => bytes),
      );
    }
    expect(delivery.delivered).toBe(30);
  });

  it("tells where frames begin before it delivers them", () => {
    const kernel = new FakeKernel(1);
    const announced: number[][] = [];
    const delivered: number[] = [];
    const delivery = new Delivery(({ start }) => delivered.push(start), {
      isWorthwhile: () => true,
      announce: (_view, starts, count) => {
        expect(delivered.length).toBe(announced.flat().length);
        announced.push([...starts.subarray(0, count)]);
      },
    });
    const packets = Array.from({ length: FRAMES_AHEAD + 5 }, (_, index) => ({
      bytes: ramp(index % 20),
    }));
    for (let block = 0; block < 2; block++) {
      kernel.hand(0, packets);
      kernel.ring.deliverBlock(delivery);
    }
    expect(announced.map((group) => group.length)).toEqual([FRAMES_AHEAD, 5, FRAMES_AHEAD, 5]);
    expect(announced.flat()).toEqual(delivered);
  });

  it("says how full it is", () => {
    const kernel = new FakeKernel(4);
    expect(kernel.ring.fill).toBe(0);
    for (const block of [0, 1, 2]) kernel.hand(block, [{ bytes: [1] }]);
    expect(kernel.ring.fill).toBe(0.75);
    kernel.ring.deliverBlock(collect().delivery);
    expect(kernel.ring.fill).toBe(0.5);
    kernel.hand(3, []);
    kernel.hand(0, []);
    expect(kernel.ring.fill).toBe(1);
  });

  it("delivers no further frame of the block once stopped", () => {
    const kernel = new FakeKernel(1);
    kernel.hand(0, [{ bytes: [1] }, { bytes: [2] }, { bytes: [3] }]);
    const delivery: Delivery = new Delivery(() => {
      delivery.stopped = delivery.delivered === 2;
    });
    kernel.ring.deliverBlock(delivery);
    expect(delivery.delivered).toBe(2);
  });

  it("reads lengths, time and direction", () => {
    expect(deliverOne({ bytes: ramp(60), wireLength: 1500, packetType: 4 })).toEqual({
      bytes: Uint8Array.from(ramp(60)),
      wireLength: 1500,
      seconds: 1_700_000_000,
      nanoseconds: 123_456_789,
      direction: Direction.OUT,
      linkType: LinkType.ETHERNET,
      vlanTci: -1,
      vlanTpid: -1,
    });
    const directions = [0, 1, 2, 3, 4].map((packetType) => deliverOne({ bytes: [0], packetType }));
    expect(directions.map((frame) => frame?.direction)).toEqual([0, 0, 0, 2, 1]);
  });

  it("gives the tag that the kernel took out, and counts its bytes", () => {
    const tagged = { bytes: ramp(60), tci: 0x6005, tpid: 0x88a8 };
    expect(deliverOne({ ...tagged, status: VLAN_VALID | TPID_VALID })).toMatchObject({
      vlanTci: 0x6005,
      vlanTpid: 0x88a8,
      wireLength: 64,
    });
    expect(deliverOne({ ...tagged, status: VLAN_VALID })).toMatchObject({ vlanTpid: 0x8100 });
    expect(deliverOne({ ...tagged, tci: 0, status: VLAN_VALID })).toMatchObject({ vlanTci: 0 });
    const kernel = new FakeKernel(1);
    const { delivery, frames } = collect();
    kernel.hand(0, [{ ...tagged, status: VLAN_VALID }, tagged]);
    kernel.ring.deliverBlock(delivery);
    expect(frames[1]).toMatchObject({ vlanTci: -1, vlanTpid: -1, wireLength: 60 });
  });

  it("leaves the second copy of loopback frames out and counts it", () => {
    const kernel = new FakeKernel(1);
    const { delivery, frames } = collect();
    kernel.hand(0, [
      { bytes: [1], hardwareType: 772, packetType: 4 },
      { bytes: [1], hardwareType: 772, packetType: 0 },
    ]);
    kernel.ring.deliverBlock(delivery);
    expect(frames.length).toBe(1);
    expect(frames[0]).toMatchObject({ direction: Direction.UNKNOWN, linkType: LinkType.ETHERNET });
    expect(kernel.ring.duplicates).toBe(1);
  });

  it("delivers IP on other links from its own header on, and the rest under its link type", () => {
    const onTunnel = { bytes: ramp(60), wireLength: 100, linkBytes: 20, hardwareType: 778 };
    expect(deliverOne(onTunnel)).toMatchObject({
      bytes: Uint8Array.from(ramp(60).slice(20)),
      wireLength: 80,
      linkType: LinkType.RAW,
    });
    expect(deliverOne({ ...onTunnel, protocol: 0x86dd })?.linkType).toBe(LinkType.RAW);
    expect(deliverOne({ ...onTunnel, bytes: ramp(9) })?.bytes.length).toBe(0);
    const types = [1, 512, 772, 801, 803, 65_534, 4711].map(
      (hardwareType) => deliverOne({ ...onTunnel, hardwareType, protocol: 0x88cc })?.linkType,
    );
    expect(types).toEqual([1, 9, 1, 105, 127, 101, 147]);
  });
});

describe("RingLoop", () => {
  it("ends with what the sink or the watcher throws", async () => {
    const kernel = new FakeKernel(1);
    const fault = new Error("from the sink");
    kernel.hand(0, [{ bytes: [1] }]);
    const throwing = new Delivery(() => {
      throw fault;
    });
    await expect(new RingLoop(kernel.ring, throwing, () => {}).run()).rejects.toBe(fault);
    expect(throwing.stopped).toBe(true);
    const watched = new RingLoop(new FakeKernel(1).ring, collect().delivery, () => {
      throw fault;
    });
    await expect(watched.run()).rejects.toBe(fault);
  });

  it("empties what is there and waits for more until it is stopped", async () => {
    const kernel = new FakeKernel(40);
    for (let block = 0; block < 40; block++) kernel.hand(block, [{ bytes: [block] }]);
    const order: number[] = [];
    const delivery: Delivery = new Delivery(({ view, start }) => {
      order.push(view.getUint8(start));
      if (order.length === 40) kernel.hand(0, [{ bytes: [99] }, { bytes: [100] }]);
      if (order.length === 41) loop.stop();
    });
    const loop = new RingLoop(kernel.ring, delivery, () => {});
    await loop.run();
    expect(order).toEqual([...Array.from({ length: 40 }, (_, block) => block), 99]);
    // A loop that went on would take this block within its longest interval.
    kernel.hand(1, [{ bytes: [1] }]);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(kernel.status(1)).toBe(READY);
  });
});
