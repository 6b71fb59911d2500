// SPDX-License-Identifier: AGPL-3.0-or-later
import { type ErrorCode, NamError } from "../util/errors.ts";
import { addressPairProgram } from "./bpf.ts";
import { type Libc, lastError, loadLibc, MAP_FAILED, memoryAt } from "./libc.ts";
import { type Device, findDevice, nameOfDevice } from "./net-device.ts";
import { permissionError } from "./permission.ts";

// packet(7), socket(7), linux/if_packet.h
const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const ETH_P_ALL = 0x0003;
// struct sockaddr_ll
const ADDRESS_BYTES = 20;
const ADDRESS_INDEX = 4;
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1;
const PACKET_RX_RING = 5;
const PACKET_STATISTICS = 6;
const PACKET_VERSION = 10;
const PACKET_FANOUT = 18;
const PACKET_FANOUT_DATA = 22;
const TPACKET_V3 = 2;
const PACKET_MR_PROMISC = 1;
const PACKET_FANOUT_CBPF = 6;

// mmap(2)
const PROT_READ_WRITE = 0x3;
const MAP_SHARED = 0x01;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const MAP_FIXED = 0x10;
const MAP_NORESERVE = 0x4000;

/** Geometry of a receive ring. */
export interface RingLayout {
  /** A power of two, at least a page. */
  readonly blockBytes: number;
  readonly blockCount: number;
  /** A block with packets in it is handed over after this time even if it is not full. */
  readonly retireTimeoutMs: number;
}

/** Counts since they were last read. */
export interface PacketStatistics {
  /** Packets that passed the filter, dropped ones included. */
  readonly packets: number;
  readonly drops: number;
  readonly freezes: number;
}

/** An AF_PACKET socket of its own: created, set up and bound step by step, each step failing with a NamError. */
export class PacketSocket {
  readonly #libc: Libc;
  readonly #socket: number;
  #ring: { readonly address: bigint; readonly bytes: number } | null = null;
  #open = true;

  /** Opens a socket that receives nothing until `bind`. Throws CAPTURE_PERMISSION. */
  constructor() {
    this.#libc = loadLibc();
    this.#socket = this.#libc.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (this.#socket >= 0) return;
    const { name, text } = lastError();
    if (name === "EPERM" || name === "EACCES") throw permissionError();
    throw new NamError("CAPTURE_SOURCE_UNAVAILABLE", `no AF_PACKET socket: ${text}`);
  }

  /** Sets up a TPACKET_V3 ring and maps it into memory that stays valid, if unused, after `close`. */
  mapRing(layout: RingLayout): ArrayBuffer {
    const { blockBytes, blockCount, retireTimeoutMs } = layout;
    const bytes = blockBytes * blockCount;
    this.#set(PACKET_VERSION, words(TPACKET_V3), "TPACKET_V3");
    // struct tpacket_req3: block size and count, frame size and count, time-out, private bytes, features.
    const request = words(blockBytes, blockCount, blockBytes, blockCount, retireTimeoutMs, 0, 0);
    this.#set(PACKET_RX_RING, request, `a ring of ${bytes} bytes (capture.ring_mib)`);
    const address = this.#libc.mmap(null, bytes, PROT_READ_WRITE, MAP_SHARED, this.#socket, 0);
    if (address === MAP_FAILED) throw this.#failed("mapping the ring");
    this.#ring = { address, bytes };
    return memoryAt(address, bytes);
  }

  /** Replaces the filter; what it does not accept is neither delivered nor counted. */
  attachFilter(program: Uint8Array): void {
    if (this.#libc.setProgram(this.#socket, SOL_SOCKET, SO_ATTACH_FILTER, program) !== 0) {
      throw this.#failed("attaching the filter", "CAPTURE_FILTER");
    }
  }

  /** Starts to receive from the interface, 0 meaning all, and leaves the one before. Needs no privilege. */
  bind(interfaceIndex: number): void {
    const address = new DataView(new ArrayBuffer(ADDRESS_BYTES));
    address.setUint16(0, AF_PACKET, true);
    address.setUint16(2, ETH_P_ALL, false);
    address.setInt32(ADDRESS_INDEX, interfaceIndex, true);
    const bytes = new Uint8Array(address.buffer);
    if (this.#libc.bind(this.#socket, bytes, bytes.length) !== 0) {
      throw this.#failed("binding to the interface", "CAPTURE_INTERFACE");
    }
  }

  /**
   * Shares the interface's packets with all sockets of the group: each address pair goes to one of them. The socket
   * must be bound, and can then not be bound again.
   */
  joinFanout(group: number): void {
    this.#set(PACKET_FANOUT, words((PACKET_FANOUT_CBPF << 16) | group), "PACKET_FANOUT");
    const program = addressPairProgram();
    if (this.#libc.setProgram(this.#socket, SOL_PACKET, PACKET_FANOUT_DATA, program) !== 0) {
      throw this.#failed("PACKET_FANOUT_DATA");
    }
  }

  /** Makes the interface take frames for others until the socket is closed. */
  addPromiscuous(interfaceIndex: number): void {
    // struct packet_mreq: index, type, address length, address.
    const request = words(interfaceIndex, PACKET_MR_PROMISC, 0, 0);
    this.#set(PACKET_ADD_MEMBERSHIP, request, "promiscuous mode");
  }

  /** Index of the interface that the socket receives from, 0 for all; -1 where that one has been removed. */
  boundIndex(): number {
    const address = new DataView(new ArrayBuffer(ADDRESS_BYTES));
    const bytes = new Uint8Array(address.buffer);
    this.#libc.getsockname(this.#socket, bytes, new Uint32Array([ADDRESS_BYTES]));
    return address.getInt32(ADDRESS_INDEX, true);
  }

  /** The interface of that name, or null where there is none. */
  device(name: string): Device | null {
    return findDevice(this.#libc, this.#socket, name);
  }

  /** Name of the interface that has this index now, or null where there is none. */
  deviceName(index: number): string | null {
    return nameOfDevice(this.#libc, this.#socket, index);
  }

  /** Reads and resets the kernel's counts. */
  statistics(): PacketStatistics {
    const value = new Uint32Array(3);
    const bytes = new Uint8Array(value.buffer);
    const length = new Uint32Array([bytes.length]);
    this.#libc.getsockopt(this.#socket, SOL_PACKET, PACKET_STATISTICS, bytes, length);
    const [packets = 0, drops = 0, freezes = 0] = value;
    return { packets, drops, freezes };
  }

  /**
   * Closes the socket and gives the ring's memory back. Its addresses stay mapped, to zeros, so that a stale
   * reference reads nonsense and does not end the process.
   */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.#ring !== null) {
      const flags = MAP_PRIVATE_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
      this.#libc.mmap(this.#ring.address, this.#ring.bytes, PROT_READ_WRITE, flags, -1, 0);
    }
    this.#libc.close(this.#socket);
  }

  #set(name: number, value: Uint8Array, what: string): void {
    if (this.#libc.setsockopt(this.#socket, SOL_PACKET, name, value, value.length) !== 0) {
      throw this.#failed(what);
    }
  }

  #failed(what: string, code: ErrorCode = "CAPTURE_SOURCE_UNAVAILABLE"): NamError {
    return new NamError(code, `the kernel refuses ${what}: ${lastError().text}`);
  }
}

function words(...values: readonly number[]): Uint8Array {
  return new Uint8Array(new Int32Array(values).buffer);
}
