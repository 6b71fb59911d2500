// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import { add, f64, i32, u8 } from "../util/typed.ts";
import { bytesOf } from "./bytes.ts";
import { type Packet, TcpFlag } from "./packet.ts";
import { RangeSet } from "./range-set.ts";

/** Bytes of a stream that a buffer holds. */
export const ASSEMBLY_BYTES = 16_384;
/** Packets that may add to a buffer. */
const MAX_PACKETS = 8;
/** Packet time from the first piece to the last. */
const MAX_AGE_MS = 5_000;
/** Disjoint pieces at once: browsers cut one QUIC hello into dozens of frames, and shuffle them. */
const MAX_RANGES = 32;
/** Buffers that a key may be in: a look-up looks at no more. */
const WAYS = 4;
/** 2^32 divided by the golden ratio: spreads neighbouring flows over the sets. */
const SPREAD = 0x9e3779b1;
const { SYN } = TcpFlag;
/** Key of a buffer without a stream. */
const FREE = -0x80000000;

/** No buffer. */
export const NO_BUFFER = -1;

/** Why a stream was given up before it was whole: positions in the labels of `assemblyMetric`. */
export const GivenUp = { BYTES: 0, PACKETS: 1, AGE: 2, ROOM: 3 } as const;
const REASONS = ["bytes", "packets", "age", "room"] as const;

/** Counts what a protocol's pool gave up, e.g. `assemblyMetric("tls", "hellos")`; declare it with the protocol. */
export function assemblyMetric(protocol: string, what: string): MetricDefinition {
  return {
    name: `nam_${protocol}_reassembly_given_up_total`,
    help: `${what} given up before all their pieces were seen: more bytes or packets than allowed, too old, or no room for more of them at once.`,
    type: "counter",
    labels: { reason: REASONS },
  };
}

/**
 * A fixed pool of buffers for the first bytes of streams whose messages span packets: pieces in any order, with
 * overlaps; what came first stays. Everything is allocated at the start. A stream is one side of a flow.
 *
 *     let buffer = pool.find(packet);                       // nearly free while no buffer is in use
 *     if (buffer < 0) buffer = pool.open(packet, payloadSequence(packet));
 *     const length = pool.add(buffer, packet, packet.payloadAt, packet.payloadEnd, pool.offset(buffer, packet));
 *     if (length < 0) return;                               // given up, counted, closed
 *     const view = pool.view(buffer);                       // [0, length) is what is known without a gap
 *     pool.consume(buffer, used);  or  pool.close(buffer);  // after each message, or when done
 *
 * An `offset` counts bytes from the stream's start: for TCP from the sequence number given to `open`, for QUIC it
 * is the CRYPTO frame's own. Who cannot tell whether the first piece seen is the stream's first opens with an
 * earlier sequence number, as a guess, and lets `consume` drop the gap when `start` shows where the stream begins. The
 * flow's slot leads to the buffer; addresses, ports and the flow's packet count tell a new flow in an old slot.
 * Packets without a flow (`flow` -1) are told apart by addresses and ports alone.
 */
export class Assembly {
  readonly #counters: Float64Array;
  readonly #cells: number = 0;
  readonly #setMask: number = 0;
  /** Buffers are numbered from 0 to here. */
  readonly capacity: number;
  readonly #views: DataView[] = [];
  readonly #bytes: Uint8Array[] = [];
  readonly #ranges: RangeSet[] = [];
  /** Of each buffer: its stream's flow slot and side, FREE without one; */
  readonly #keys: Int32Array;
  /** the ends of the stream's packets, the start of the stream, and what was added so far. */
  readonly #addresses: Int32Array;
  readonly #ports: Int32Array;
  readonly #base: Int32Array;
  readonly #flowPackets: Int32Array;
  readonly #lastPacket: Int32Array;
  readonly #packets: Int32Array;
  readonly #openedMs: Float64Array;
  /** 1 for streams that may not be the protocol's. */
  readonly #guesses: Uint8Array;
  #open = 0;

  /** `buffers` is rounded up to a power of two of at least four; `cells` are those of an `assemblyMetric`. */
  constructor(buffers: number, counters: Float64Array, cells: number) {
    const count = 1 << Math.max(2, Math.ceil(Math.log2(buffers)));
    this.capacity = count;
    this.#counters = counters;
    this.#cells = cells;
    this.#setMask = count / WAYS - 1;
    const memory = new ArrayBuffer(count * ASSEMBLY_BYTES);
    for (let i = 0; i < count; i++) {
      this.#views.push(new DataView(memory, i * ASSEMBLY_BYTES, ASSEMBLY_BYTES));
      this.#bytes.push(new Uint8Array(memory, i * ASSEMBLY_BYTES, ASSEMBLY_BYTES));
      this.#ranges.push(new RangeSet(MAX_RANGES));
    }
    this.#keys = new Int32Array(count).fill(FREE);
    this.#addresses = new Int32Array(count);
    this.#ports = new Int32Array(count);
    this.#base = new Int32Array(count);
    this.#flowPackets = new Int32Array(count);
    this.#lastPacket = new Int32Array(count);
    this.#packets = new Int32Array(count);
    this.#guesses = new Uint8Array(count);
    this.#openedMs = new Float64Array(count);
  }

  /** The buffer of the packet's side of its flow, NO_BUFFER without one. */
  find(packet: Packet): number {
    if (this.#open === 0) return NO_BUFFER;
    const key = keyOf(packet);
    const first = this.#setOf(key);
    for (let buffer = first; buffer < first + WAYS; buffer++) {
      if (i32(this.#keys, buffer) !== key || i32(this.#ports, buffer) !== portsOf(packet)) continue;
      if (i32(this.#addresses, buffer) !== addressesOf(packet)) continue;
      return this.#isCurrent(buffer, packet) ? buffer : NO_BUFFER;
    }
    return NO_BUFFER;
  }

  /**
   * Gives the packet's side of its flow a buffer, which must not have one. `base`: sequence number of the stream's
   * first byte, 0 where offsets are the protocol's own. In a full set the oldest buffer is given up. `isGuess`: it may
   * turn out not to be a stream of the protocol, and giving it up is not counted until `consume` finds its start.
   */
  open(packet: Packet, base: number, isGuess = false): number {
    const key = keyOf(packet);
    const first = this.#setOf(key);
    let buffer = first;
    for (let way = first; way < first + WAYS; way++) {
      if (i32(this.#keys, way) === FREE) {
        buffer = way;
        break;
      }
      if (f64(this.#openedMs, way) < f64(this.#openedMs, buffer)) buffer = way;
    }
    if (i32(this.#keys, buffer) !== FREE) {
      const isOld = ageMs(packet, f64(this.#openedMs, buffer)) > MAX_AGE_MS;
      this.giveUp(buffer, isOld ? GivenUp.AGE : GivenUp.ROOM);
    }
    this.#open++;
    this.#keys[buffer] = key;
    this.#addresses[buffer] = addressesOf(packet);
    this.#ports[buffer] = portsOf(packet);
    this.#base[buffer] = base;
    this.#guesses[buffer] = isGuess ? 1 : 0;
    this.#flowPackets[buffer] = packet.flowPackets;
    this.#begin(buffer, packet);
    this.#rangesOf(buffer).clear();
    return buffer;
  }

  /** Where the packet's payload lies in the stream, by its sequence number; negative before the start. */
  offset(buffer: number, packet: Packet): number {
    return (payloadSequence(packet) - i32(this.#base, buffer)) | 0;
  }

  /**
   * Adds bytes `[at, end)` of the packet as those from `offset` on; what lies outside `[0, ASSEMBLY_BYTES)` is left
   * out. Returns how many bytes are known without a gap, or NO_BUFFER where the stream was given up.
   */
  add(buffer: number, packet: Packet, at: number, end: number, offset: number): number {
    return this.addFrom(buffer, packet, packet.view, at, end, offset);
  }

  /** The same for bytes of another view, such as a packet's after decryption. */
  addFrom(
    buffer: number,
    packet: Packet,
    view: DataView,
    at: number,
    end: number,
    offset: number,
  ): number {
    if (packet.number !== i32(this.#lastPacket, buffer)) {
      this.#lastPacket[buffer] = packet.number;
      this.#packets[buffer] = i32(this.#packets, buffer) + 1;
    }
    if (i32(this.#packets, buffer) > MAX_PACKETS) return this.giveUp(buffer, GivenUp.PACKETS);
    const from = Math.max(0, offset);
    const to = Math.min(ASSEMBLY_BYTES, offset + end - at);
    const ranges = this.#rangesOf(buffer);
    if (from < to) {
      const source = bytesOf(view, at + from - offset, at + to - offset);
      const target = this.#bytes[buffer] as Uint8Array;
      if (!ranges.add(from, to, source, target)) return this.giveUp(buffer, GivenUp.PACKETS);
    }
    return ranges.prefix();
  }

  /** Bytes known without a gap from the start. */
  length(buffer: number): number {
    return this.#rangesOf(buffer).prefix();
  }

  /** Where the first bytes are that were seen, and how many follow each other from there on. */
  start(buffer: number): number {
    return this.#rangesOf(buffer).first();
  }

  runLength(buffer: number): number {
    return this.#rangesOf(buffer).firstLength();
  }

  view(buffer: number): DataView {
    return this.#views[buffer] as DataView;
  }

  /** True when the buffer is full to its last byte: a message that still wants more will never be whole. */
  isFull(buffer: number): boolean {
    return this.length(buffer) === ASSEMBLY_BYTES;
  }

  /** Drops the first `length` bytes; the next message starts there, with fresh limits. */
  consume(buffer: number, length: number, packet: Packet): void {
    this.#base[buffer] = (i32(this.#base, buffer) + length) | 0;
    (this.#bytes[buffer] as Uint8Array).copyWithin(0, length);
    this.#rangesOf(buffer).shift(-length, ASSEMBLY_BYTES);
    this.#guesses[buffer] = 0;
    this.#begin(buffer, packet);
  }

  close(buffer: number): void {
    if (i32(this.#keys, buffer) === FREE) return;
    this.#keys[buffer] = FREE;
    this.#open--;
  }

  /** Closes a buffer whose message will not be read, and counts why (GivenUp). Returns NO_BUFFER. */
  giveUp(buffer: number, reason: number): number {
    if (u8(this.#guesses, buffer) === 0) add(this.#counters, this.#cells + reason, 1);
    this.close(buffer);
    return NO_BUFFER;
  }

  #begin(buffer: number, packet: Packet): void {
    this.#packets[buffer] = 0;
    this.#lastPacket[buffer] = packet.number - 1;
    this.#openedMs[buffer] = timeMs(packet);
  }

  /** False, and the buffer closed, where another flow has the key now or the stream took too long. */
  #isCurrent(buffer: number, packet: Packet): boolean {
    if (packet.flowPackets < i32(this.#flowPackets, buffer)) {
      this.giveUp(buffer, GivenUp.AGE);
      return false;
    }
    this.#flowPackets[buffer] = packet.flowPackets;
    const age = ageMs(packet, f64(this.#openedMs, buffer));
    if (age >= -MAX_AGE_MS && age <= MAX_AGE_MS) return true;
    this.giveUp(buffer, GivenUp.AGE);
    return false;
  }

  #rangesOf(buffer: number): RangeSet {
    return this.#ranges[buffer] as RangeSet;
  }

  #setOf(key: number): number {
    return ((Math.imul(key, SPREAD) >>> 16) & this.#setMask) * WAYS;
  }
}

function keyOf(packet: Packet): number {
  return (packet.flow << 1) | packet.flowSide;
}

/** Sequence number of the payload's first byte: a SYN takes one for itself (RFC 9293 §3.4). */
export function payloadSequence({ tcpSequence, tcpFlags }: Packet): number {
  return (tcpFlags & SYN) === 0 ? tcpSequence : (tcpSequence + 1) | 0;
}

function timeMs(packet: Packet): number {
  return packet.seconds * 1000 + packet.nanoseconds / 1e6;
}

function ageMs(packet: Packet, openedMs: number): number {
  return timeMs(packet) - openedMs;
}

function portsOf(packet: Packet): number {
  return packet.sourcePort | (packet.destinationPort << 16);
}

/** Both addresses as one word: enough beside the flow's slot. */
function addressesOf(packet: Packet): number {
  const source = packet.source0 ^ packet.source1 ^ packet.source2 ^ packet.source3;
  const destination =
    packet.destination0 ^ packet.destination1 ^ packet.destination2 ^ packet.destination3;
  return Math.imul(source, SPREAD) ^ destination ^ packet.ipProtocol;
}
