// SPDX-License-Identifier: AGPL-3.0-or-later
import { i32 } from "../util/typed.ts";
import type { Delivery } from "./delivery.ts";
import { HardwareType, linkTypeOfHardware } from "./link-types.ts";
import { FRAMES_AHEAD } from "./look-ahead.ts";
import { PacketType, packetTypeDirection } from "./packet-type.ts";
import { Direction, type Frame, LinkType } from "./source.ts";

// TPACKET_V3, linux/if_packet.h and https://www.kernel.org/doc/Documentation/networking/packet_mmap.rst .
// struct tpacket_block_desc
const BLOCK_STATUS = 8;
const BLOCK_PACKETS = 12;
const BLOCK_FIRST_PACKET = 16;
// struct tpacket3_hdr
const NEXT_OFFSET = 0;
const SECONDS = 4;
const NANOSECONDS = 8;
const CAPTURED_LENGTH = 12;
const LENGTH = 16;
const STATUS = 20;
const MAC_OFFSET = 24;
const NETWORK_OFFSET = 26;
const VLAN_TCI = 32;
const VLAN_TPID = 36;
// struct sockaddr_ll follows the header.
const LINK_PROTOCOL = 48 + 2;
const LINK_HARDWARE_TYPE = 48 + 8;
const LINK_PACKET_TYPE = 48 + 10;

const STATUS_KERNEL = 0;
const STATUS_USER = 1;
const STATUS_VLAN_VALID = 1 << 4;
const STATUS_BLOCK_TIMEOUT = 1 << 5;
const STATUS_TPID_VALID = 1 << 6;

const TPID_8021Q = 0x8100;
const VLAN_TAG_BYTES = 4;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;

/** What `deliverBlock` found. */
export const BlockState = {
  /** No block is ready. */
  NONE: 0,
  /** The block was handed over because its time was up. */
  TIMED_OUT: 1,
  /** The block was handed over because it was full: there is a lot of traffic. */
  FULL: 2,
} as const;

/**
 * Reads a ring of blocks that the kernel fills and this process empties, in order. A block's status word says whose
 * turn it is; it is read and written atomically, so everything the kernel wrote before is seen. Frames are delivered
 * where they lie.
 */
export class PacketRing {
  readonly #view: DataView;
  readonly #words: Int32Array;
  readonly #blockBytes: number;
  readonly #blockCount: number;
  #block = 0;
  /** Second copies of loopback frames, not delivered. */
  duplicates = 0;

  constructor(memory: ArrayBuffer, blockBytes: number) {
    this.#view = new DataView(memory);
    this.#words = new Int32Array(memory);
    this.#blockBytes = blockBytes;
    this.#blockCount = memory.byteLength / blockBytes;
  }

  /** Share of the blocks that wait to be read. */
  get fill(): number {
    let ready = 0;
    while (ready < this.#blockCount && this.#isReady((this.#block + ready) % this.#blockCount)) {
      ready++;
    }
    return ready / this.#blockCount;
  }

  /** Delivers the frames of the next block and gives it back to the kernel; returns a `BlockState`. */
  deliverBlock(delivery: Delivery): number {
    if (!this.#isReady(this.#block)) return BlockState.NONE;
    const block = this.#block * this.#blockBytes;
    const view = this.#view;
    const status = i32(this.#words, (block + BLOCK_STATUS) >> 2);
    let packet = block + view.getUint32(block + BLOCK_FIRST_PACKET, true);
    let left = view.getUint32(block + BLOCK_PACKETS, true);
    delivery.frame.view = view;
    delivery.ahead.reset();
    while (left-- > 0 && !delivery.stopped) {
      if (delivery.ahead.isDue()) this.#announce(packet, left + 1, delivery);
      const next = packet + view.getUint32(packet + NEXT_OFFSET, true);
      this.#deliver(packet, delivery);
      packet = next;
    }
    Atomics.store(this.#words, (block + BLOCK_STATUS) >> 2, STATUS_KERNEL);
    this.#block = (this.#block + 1) % this.#blockCount;
    return (status & STATUS_BLOCK_TIMEOUT) === 0 ? BlockState.FULL : BlockState.TIMED_OUT;
  }

  #announce(packet: number, left: number, { ahead }: Delivery): void {
    const view = this.#view;
    const { starts } = ahead;
    const count = Math.min(left, FRAMES_AHEAD);
    for (let i = 0; i < count; i++) {
      starts[i] = packet + view.getUint16(packet + MAC_OFFSET, true);
      packet += view.getUint32(packet + NEXT_OFFSET, true);
    }
    ahead.announce(view, count);
  }

  #isReady(block: number): boolean {
    const status = Atomics.load(this.#words, (block * this.#blockBytes + BLOCK_STATUS) >> 2);
    return (status & STATUS_USER) !== 0;
  }

  #deliver(packet: number, delivery: Delivery): void {
    const view = this.#view;
    const { frame } = delivery;
    const hardwareType = view.getUint16(packet + LINK_HARDWARE_TYPE, true);
    const packetType = view.getUint8(packet + LINK_PACKET_TYPE);
    frame.start = packet + view.getUint16(packet + MAC_OFFSET, true);
    frame.end = frame.start + view.getUint32(packet + CAPTURED_LENGTH, true);
    frame.wireLength = view.getUint32(packet + LENGTH, true);
    frame.seconds = view.getUint32(packet + SECONDS, true);
    frame.nanoseconds = view.getUint32(packet + NANOSECONDS, true);
    if (hardwareType === HardwareType.ETHERNET) {
      frame.linkType = LinkType.ETHERNET;
      frame.direction = packetTypeDirection(packetType);
    } else if (hardwareType === HardwareType.LOOPBACK) {
      // Every loopback frame is seen leaving and arriving; neither is a direction.
      if (packetType === PacketType.OUTGOING) {
        this.duplicates++;
        return;
      }
      frame.linkType = LinkType.ETHERNET;
      frame.direction = Direction.UNKNOWN;
    } else {
      this.#setOtherLink(packet, hardwareType, frame);
      frame.direction = packetTypeDirection(packetType);
    }
    this.#restoreTag(packet, frame);
    delivery.delivered++;
    delivery.sink(frame);
  }

  // Tunnels, PPP and other links begin with headers that differ between drivers, or with none. IP in them is
  // delivered from its own header on, which the kernel knows.
  #setOtherLink(packet: number, hardwareType: number, frame: Frame): void {
    const view = this.#view;
    const protocol = view.getUint16(packet + LINK_PROTOCOL, false);
    if (protocol !== ETHERTYPE_IPV4 && protocol !== ETHERTYPE_IPV6) {
      frame.linkType = linkTypeOfHardware(hardwareType);
      return;
    }
    const network = packet + view.getUint16(packet + NETWORK_OFFSET, true);
    frame.linkType = LinkType.RAW;
    frame.wireLength -= network - frame.start;
    frame.start = Math.min(network, frame.end);
  }

  #restoreTag(packet: number, frame: Frame): void {
    const status = this.#view.getUint32(packet + STATUS, true);
    if ((status & STATUS_VLAN_VALID) === 0) {
      frame.vlanTci = -1;
      frame.vlanTpid = -1;
      return;
    }
    frame.vlanTci = this.#view.getUint16(packet + VLAN_TCI, true);
    frame.vlanTpid =
      (status & STATUS_TPID_VALID) === 0
        ? TPID_8021Q
        : this.#view.getUint16(packet + VLAN_TPID, true);
    frame.wireLength += VLAN_TAG_BYTES;
  }
}
