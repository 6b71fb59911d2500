// SPDX-License-Identifier: AGPL-3.0-or-later
import { endianness } from "node:os";
import { NamError } from "../util/errors.ts";
import { snaplenProgram } from "./bpf.ts";
import { Delivery } from "./delivery.ts";
import { InterfaceBinding } from "./interface-binding.ts";
import { compileFilter } from "./libpcap.ts";
import { HardwareType } from "./link-types.ts";
import type { LiveOptions } from "./live-options.ts";
import { PacketSocket } from "./packet-socket.ts";
import { RingLoop } from "./ring-loop.ts";
import type { CaptureSource, CaptureStats, FrameSink, LookAhead } from "./source.ts";
import { PacketRing } from "./tpacket.ts";

const MIB = 1024 * 1024;
// A quarter of a mebibyte stays in the processor's cache while it is read.
const BLOCK_BYTES = MIB / 4;
const RETIRE_TIMEOUT_MS = 10;
const TAKE_NONE = 0;

/** What `open` acquires. */
interface Opened {
  readonly socket: PacketSocket;
  readonly ring: PacketRing;
  readonly binding: InterfaceBinding;
}

/**
 * Live capture on Linux: an AF_PACKET socket whose TPACKET_V3 ring is read from JavaScript. No native call is made
 * per packet and no packet is copied. It goes on when the interface goes down, is renamed, or is removed and made
 * again under the same name, and needs no privilege for that; only with a fanout group does the last end the run.
 */
export class AfPacketSource implements CaptureSource {
  readonly name = "afpacket";
  readonly #options: LiveOptions;
  #opened: Opened | null = null;
  #delivery: Delivery | null = null;
  #loop: RingLoop | null = null;
  #stopped = false;
  #closed = false;
  #kernelPackets = 0;
  #kernelDrops = 0;
  #freezes = 0;

  constructor(options: LiveOptions) {
    this.#options = options;
  }

  get interfaceName(): string {
    return this.#options.interfaceName;
  }

  /** Packets the kernel counted for this socket: drops and second copies of loopback frames are among them. */
  get kernelPackets(): number {
    this.#readStatistics();
    return this.#kernelPackets;
  }

  capturing(): boolean {
    return this.#opened?.binding.up ?? false;
  }

  async open(): Promise<void> {
    const socket = openSocket();
    try {
      this.#opened = setUp(socket, this.#options);
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  async run(sink: FrameSink, lookAhead?: LookAhead): Promise<void> {
    if (this.#opened === null) throw new NamError("INTERNAL", "run() needs a source that is open");
    if (this.#stopped) return;
    const { ring, binding } = this.#opened;
    this.#delivery = new Delivery(sink, lookAhead);
    this.#loop = new RingLoop(ring, this.#delivery, () => binding.follow());
    await this.#loop.run();
  }

  stop(): void {
    this.#stopped = true;
    this.#loop?.stop();
  }

  stats(): CaptureStats {
    this.#readStatistics();
    return {
      received: (this.#delivery?.delivered ?? 0) + this.#kernelDrops,
      droppedKernel: this.#kernelDrops,
      droppedRing: 0,
      duplicates: this.#opened?.ring.duplicates ?? 0,
      ringFreezes: this.#freezes,
      ringFill: this.#opened?.ring.fill ?? 0,
      dropCounterSupported: true,
    };
  }

  close(): void {
    if (this.#closed) return;
    this.stop();
    this.#readStatistics();
    this.#opened?.socket.close();
    this.#closed = true;
  }

  #readStatistics(): void {
    if (this.#opened === null || this.#closed) return;
    const { packets, drops, freezes } = this.#opened.socket.statistics();
    this.#kernelPackets += packets;
    this.#kernelDrops += drops;
    this.#freezes += freezes;
  }
}

/** Throws the NamError with which `open` would fail for this interface. */
export async function checkAfPacket(interfaceName: string): Promise<void> {
  const socket = openSocket();
  try {
    new InterfaceBinding(socket, {
      interfaceName,
      promiscuous: false,
      fanoutGroup: null,
    }).device();
  } finally {
    socket.close();
  }
}

function openSocket(): PacketSocket {
  if (process.platform === "linux" && endianness() === "LE") return new PacketSocket();
  throw new NamError(
    "CAPTURE_SOURCE_UNAVAILABLE",
    "afpacket needs Linux on a little-endian processor; use the source cap",
  );
}

// The filter stands before the socket is bound, so no packet can come past it. Joining a fanout group is possible
// only after binding; until then a filter that takes nothing keeps away what belongs to other members.
function setUp(socket: PacketSocket, options: LiveOptions): Opened {
  const { interfaceName, snaplen, fanoutGroup } = options;
  const binding = new InterfaceBinding(socket, options);
  const device = binding.device();
  const isEthernet =
    device?.hardwareType === HardwareType.ETHERNET ||
    device?.hardwareType === HardwareType.LOOPBACK;
  const program =
    options.filter === ""
      ? snaplenProgram(snaplen)
      : compileFilter(options.filter, {
          ethernetInterface: isEthernet ? interfaceName : null,
          snaplen,
        });
  const memory = socket.mapRing({
    blockBytes: BLOCK_BYTES,
    blockCount: (options.ringMib * MIB) / BLOCK_BYTES,
    retireTimeoutMs: RETIRE_TIMEOUT_MS,
  });
  socket.attachFilter(fanoutGroup === null ? program : snaplenProgram(TAKE_NONE));
  binding.bind();
  if (fanoutGroup !== null) {
    socket.joinFanout(fanoutGroup);
    socket.attachFilter(program);
  }
  return { socket, ring: new PacketRing(memory, BLOCK_BYTES), binding };
}
