// SPDX-License-Identifier: AGPL-3.0-or-later

import type { MetricDefinition } from "../metrics/metric.ts";
import { lastingBytes } from "../util/lasting.ts";
import { add, i32, u8 } from "../util/typed.ts";
import { bytesOf } from "./bytes.ts";
import { type Packet, TcpFlag } from "./packet.ts";
import { RangeSet, rangeWords } from "./range-set.ts";
import { NO_SLOT, StreamSlots } from "./stream-slots.ts";

/** Bytes of a stream that a buffer holds. */
export const ASSEMBLY_BYTES = 16_384;
/** Packets that may add to a buffer. */
const MAX_PACKETS = 8;
/** Packet time from the first piece to the last. */
const MAX_AGE_MS = 5_000;
/** Disjoint pieces at once: browsers cut one QUIC hello into dozens of frames, and shuffle them. */
const MAX_RANGES = 32;
const { SYN } = TcpFlag;

/** No buffer. */
export const NO_BUFFER = NO_SLOT;

/** Why a stream was given up before it was whole: positions in the labels of `assemblyMetric`. */
export const GivenUp = { BYTES: 0, PACKETS: 1, AGE: 2, ROOM: 3 } as const;
const REASONS = ["bytes", "packets", "age", "room"] as const;

/** Counts what a protocol's pool gave up, e.g. `assemblyMetric("tls", "Hellos")`; declare it with the protocol. */
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
 *     pool.consume(buffer, used, packet);  or  pool.close(buffer);  // after each message, or when done
 *
 * An `offset` counts bytes from the stream's start: for TCP from the sequence number given to `open`, for QUIC it
 * is the CRYPTO frame's own. Who cannot tell whether the first piece seen is the stream's first opens with an
 * earlier sequence number, as a guess, and lets `consume` drop the gap when `start` shows where the stream begins.
 */
export class Assembly {
  /** Buffers are numbered from 0 to here. */
  readonly capacity: number;
  readonly #counters: Float64Array;
  readonly #cells: number = 0;
  readonly #slots: StreamSlots;
  readonly #views: DataView[] = [];
  readonly #bytes: Uint8Array[] = [];
  readonly #ranges: RangeSet[] = [];
  /** Of each buffer: the start of its stream, and the packets that have added to it. */
  readonly #base: Int32Array;
  readonly #lastPacket: Int32Array;
  readonly #packets: Int32Array;
  /** 1 for streams that may not be the protocol's. */
  readonly #guesses: Uint8Array;

  /** `buffers` is rounded up to a power of two of at least four; `cells` are those of an `assemblyMetric`. */
  constructor(buffers: number, counters: Float64Array, cells: number) {
    this.#slots = new StreamSlots(buffers);
    this.capacity = this.#slots.capacity;
    this.#counters = counters;
    this.#cells = cells;
    const memory = lastingBytes(this.capacity * ASSEMBLY_BYTES);
    const words = rangeWords(MAX_RANGES);
    const bounds = new Int32Array(this.capacity * words);
    for (let i = 0; i < this.capacity; i++) {
      this.#views.push(new DataView(memory, i * ASSEMBLY_BYTES, ASSEMBLY_BYTES));
      this.#bytes.push(new Uint8Array(memory, i * ASSEMBLY_BYTES, ASSEMBLY_BYTES));
      this.#ranges.push(new RangeSet(MAX_RANGES, bounds, i * words));
    }
    this.#base = new Int32Array(this.capacity);
    this.#lastPacket = new Int32Array(this.capacity);
    this.#packets = new Int32Array(this.capacity);
    this.#guesses = new Uint8Array(this.capacity);
  }

  /** The buffer of the packet's side of its flow, NO_BUFFER without one. */
  find(packet: Packet): number {
    const buffer = this.#slots.find(packet);
    if (buffer === NO_BUFFER) return NO_BUFFER;
    return this.#isYoung(buffer, packet) ? buffer : this.giveUp(buffer, GivenUp.AGE);
  }

  /**
   * Gives the packet's side of its flow a buffer, which must not have one. `base`: sequence number of the stream's
   * first byte, 0 where offsets are the protocol's own. Where there is no room the oldest buffer is given up. `isGuess`: it
   * may turn out not to be a stream of the protocol, and giving it up is not counted until `consume` finds its start.
   */
  open(packet: Packet, base: number, isGuess = false): number {
    const slots = this.#slots;
    const buffer = slots.place(packet);
    if (slots.isTaken(buffer)) {
      this.giveUp(buffer, this.#isYoung(buffer, packet) ? GivenUp.ROOM : GivenUp.AGE);
    }
    slots.take(buffer, packet);
    this.#base[buffer] = base;
    this.#guesses[buffer] = isGuess ? 1 : 0;
    this.#begin(buffer, packet);
    this.#rangesOf(buffer).clear();
    return buffer;
  }

  /** True where `open` would give up no buffer, or one whose time is over. */
  hasRoom(packet: Packet): boolean {
    const buffer = this.#slots.place(packet);
    return !this.#slots.isTaken(buffer) || !this.#isYoung(buffer, packet);
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
    this.#slots.restart(buffer, packet);
    this.#begin(buffer, packet);
  }

  close(buffer: number): void {
    this.#slots.release(buffer);
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
  }

  #isYoung(buffer: number, packet: Packet): boolean {
    return Math.abs(this.#slots.ageMs(buffer, packet)) <= MAX_AGE_MS;
  }

  #rangesOf(buffer: number): RangeSet {
    return this.#ranges[buffer] as RangeSet;
  }
}

/** Sequence number of the payload's first byte: a SYN takes one for itself (RFC 9293 §3.4). */
export function payloadSequence({ tcpSequence, tcpFlags }: Packet): number {
  return (tcpFlags & SYN) === 0 ? tcpSequence : (tcpSequence + 1) | 0;
}
