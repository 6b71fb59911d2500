// SPDX-License-Identifier: AGPL-3.0-or-later
import { type Packet, TcpFlag } from "../../decode/packet.ts";
import type { CellLayout } from "../../metrics/cells.ts";
import { add, f64 } from "../../util/typed.ts";
import type { Tracker } from "../tracker.ts";
import { type AiCall, emptyAiCall, NO_PROVIDER, PLAIN_TRANSPORT } from "./ai-call.ts";
import { CallCounts } from "./call-counts.ts";
import { CallMeter } from "./call-meter.ts";
import { aiStreamGaps, aiWatchEvictions } from "./call-metrics.ts";
import { hostIn } from "./destination-names.ts";
import type { FlowNames } from "./flow-names.ts";
import { PlainBytes } from "./plain-bytes.ts";
import { askStartIn, asksIn, isInterim, isProof, messagesIn } from "./plain-facts.ts";
import { APPLICATION_DATA, HANDSHAKE, RecordFraming } from "./record-framing.ts";
import { WATCHED, WatchRows } from "./watch-rows.ts";
import { WatchedEnds } from "./watched-ends.ts";

const TCP = 6;
const { RST } = TcpFlag;
const NANOSECONDS_PER_MS = 1e6;
/** RFC 9000 §17.2: packets with a long header belong to the handshake. */
const QUIC_LONG_FORM = 0x80;
/** Datagrams that hold nothing but acknowledgments are smaller. */
const QUIC_DATA_MIN = 60;

type Listener = Required<Pick<Tracker, "onCall">>;

export interface AiCallsOptions {
  readonly names: FlowNames;
  /** Slots of the flow table. */
  readonly capacity: number;
  readonly layout: CellLayout;
  readonly counters: Float64Array;
}

/**
 * The calls in TLS and QUIC connections whose ClientHello was seen, and in HTTP/1.x from the first request on that may be one
 * to a model. Such a flow is watched, all its payloads with it, until a large reply shows that an unnamed one carries
 * something else, or it is the one silent for longest of too many.
 */
export class AiCalls {
  readonly #names: FlowNames;
  readonly #counters: Float64Array;
  readonly #gapCells: number = 0;
  readonly #evictionCell: number = 0;
  readonly #rows: WatchRows;
  readonly #framing = new RecordFraming(this);
  readonly #meter = new CallMeter(this);
  readonly #counts: CallCounts;
  readonly #listeners: Listener[] = [];
  readonly #call: AiCall = emptyAiCall();
  readonly #ends = new WatchedEnds();
  readonly #plain = new PlainBytes();
  /** Time of the packet at hand, with its fraction of a millisecond. */
  #nowMs = 0;

  constructor({ names, capacity, layout, counters }: AiCallsOptions) {
    this.#names = names;
    this.#counters = counters;
    this.#gapCells = layout.base(aiStreamGaps);
    this.#evictionCell = layout.base(aiWatchEvictions);
    this.#rows = new WatchRows(capacity);
    this.#counts = new CallCounts(layout, counters, names);
  }

  subscribe(tracker: Tracker): void {
    this.#listeners.push(tracker as Listener);
  }

  /** Flows watched now. */
  get watched(): number {
    return this.#rows.size;
  }

  /** True for a flow all of whose payloads are wanted. */
  isWatched(slot: number): boolean {
    return this.#rows.find(slot) >= 0;
  }

  /** Begins to watch a flow whose ClientHello this packet completes. */
  onNamed(packet: Packet, timeMs: number): void {
    const { hello } = packet.facts;
    if (hello === undefined || hello.packet !== packet.number) return;
    const row = this.#begin(packet, timeMs);
    this.#ends.begin(row, packet, hello);
    this.#meter.begin(row, this.#nowMs, this.#ends.transport(row));
    this.#framing.begin(row);
    if (!this.#ends.isQuic(row)) this.#framing.startBehind(row, packet.flowSide, packet);
  }

  /** Begins to watch an HTTP flow whose request in this packet may be a call to a model. */
  onAgents(packet: Packet, timeMs: number): void {
    if (asksIn(packet) === 0 || packet.flow < 0 || this.isWatched(packet.flow)) return;
    const row = this.#begin(packet, timeMs);
    this.#ends.beginPlain(row, packet, hostIn(packet));
    this.#meter.begin(row, this.#nowMs, PLAIN_TRANSPORT);
    this.#plain.begin(row);
    const bytes = this.#plain.takeFrom(row, packet, askStartIn(packet));
    this.#meter.fromClient(row, bytes, this.#nowMs);
  }

  /** Takes a packet of TLS, QUIC or HTTP that has a payload. */
  onPacket(packet: Packet, timeMs: number): void {
    if (packet.flow < 0) return;
    const row = this.#rows.find(packet.flow);
    if (row < 0) return;
    this.#nowMs = timeMs + fractionOf(packet);
    this.#rows.touch(row);
    if (this.#ends.isPlain(row)) {
      this.#segment(row, packet);
      return;
    }
    if (packet.ipProtocol === TCP) this.#framing.take(row, packet);
    else this.#datagram(row, packet);
    this.#giveUpBulk(row);
  }

  /** One side of the flow's connection ends with this packet, or both do: who sends no more may wait for the reply. */
  onClose(packet: Packet): void {
    if (packet.flow < 0) return;
    const row = this.#rows.find(packet.flow);
    if (row < 0) return;
    const isOpen = (packet.tcpFlags & RST) === 0 && this.#ends.isClient(row, packet.flowSide);
    if (!isOpen || !this.#meter.isAsking(row)) this.forget(packet.flow);
  }

  /** Ends the watch of a flow, and its call. */
  forget(slot: number): void {
    const row = this.#rows.find(slot);
    if (row < 0) return;
    this.#meter.end(row);
    this.#rows.end(row);
  }

  /** End of a window: ends the calls whose servers have been silent for too long. */
  close(timeMs: number): void {
    if (this.watched === 0) return;
    for (let row = 0; row < WATCHED; row++) {
      if (this.#rows.slot(row) >= 0) this.#meter.elapse(row, timeMs);
    }
  }

  /** As RecordSink. */
  record(row: number, side: number, type: number, bytes: number): void {
    if (this.#rows.slot(row) < 0) return;
    if (this.#ends.isClient(row, side)) {
      // What else is not application data belongs to the end of the handshake.
      if (type !== HANDSHAKE) this.#meter.fromClient(row, bytes, this.#nowMs);
    } else if (type === APPLICATION_DATA) {
      this.#meter.fromServer(row, bytes, this.#nowMs);
    } else {
      this.#meter.greeted(row, this.#nowMs);
    }
  }

  /** As RecordSink. */
  resumed(_row: number): void {
    add(this.#counters, this.#gapCells, 1);
  }

  /** As RecordSink. */
  gaveUp(row: number): void {
    add(this.#counters, this.#gapCells + 1, 1);
    this.#rows.end(row);
  }

  /** As CallListener. */
  onCallEnd(row: number): void {
    const meter = this.#meter;
    const call = this.#call;
    const slot = this.#rows.slot(row);
    call.row = this.#names.row(slot);
    call.startMs = f64(meter.startMs, row);
    call.endMs = f64(meter.lastMs, row);
    call.isStream = meter.shape.isStream(row, call.endMs - f64(meter.firstMs, row));
    if (this.#ends.isPlain(row)) {
      if (!this.#plain.end(row)) return;
    } else if (call.row === NO_PROVIDER && !call.isStream) return;
    call.upBytes = f64(meter.up, row);
    call.downBytes = f64(meter.down, row);
    call.ttftMs = f64(meter.firstMs, row) - call.startMs;
    call.family = this.#names.family(slot);
    this.#ends.read(row, call);
    this.#counts.add(call);
    for (let i = 0; i < this.#listeners.length; i++) (this.#listeners[i] as Listener).onCall(call);
  }

  /** Gives a flow a row, from the one silent for longest if need be; calls count from now on. */
  #begin(packet: Packet, timeMs: number): number {
    this.forget(packet.flow);
    const evicted = this.#rows.slot(this.#rows.next());
    if (evicted >= 0) {
      add(this.#counters, this.#evictionCell, 1);
      this.forget(evicted);
    }
    const row = this.#rows.begin(packet.flow);
    this.#nowMs = timeMs + fractionOf(packet);
    return row;
  }

  /** In clear text what a segment carries takes the place of a record. */
  #segment(row: number, packet: Packet): void {
    const bytes = this.#plain.take(row, packet);
    if (bytes === 0) return;
    if (this.#ends.isClient(row, packet.flowSide)) this.#meter.fromClient(row, bytes, this.#nowMs);
    else this.#reply(row, bytes, packet);
  }

  /** What belongs to no call that is being answered proves nothing: it must not stand for the next one. */
  #reply(row: number, bytes: number, packet: Packet): void {
    const messages = messagesIn(packet);
    if (messages !== undefined && isInterim(messages)) return;
    this.#meter.fromServer(row, bytes, this.#nowMs, messages?.bodyPending);
    if (!this.#meter.isReplying(row)) return;
    if (isProof(packet)) this.#plain.prove(row);
    if (messages !== undefined) this.#plain.bound(row, packet, messages.responseRest);
    if (this.#plain.isWhole(row, packet.flowSide)) this.#meter.end(row);
  }

  #datagram(row: number, packet: Packet): void {
    const { payloadAt, payloadEnd, payloadLength } = packet;
    if (!this.#ends.isQuic(row) || payloadAt >= payloadEnd) return;
    if ((packet.view.getUint8(payloadAt) & QUIC_LONG_FORM) !== 0) return;
    if (payloadLength < QUIC_DATA_MIN) return;
    if (this.#ends.isClient(row, packet.flowSide)) {
      this.#meter.fromClient(row, payloadLength, this.#nowMs);
    } else {
      this.#meter.fromServer(row, payloadLength, this.#nowMs);
    }
  }

  /** A large reply costs as much to watch as it has packets: only providers' are worth it. */
  #giveUpBulk(row: number): void {
    if (!this.#meter.isBulk(row)) return;
    const slot = this.#rows.slot(row);
    if (slot >= 0 && this.#names.row(slot) === NO_PROVIDER) this.#rows.end(row);
  }
}

/** Flow time is in whole milliseconds; gaps between records need not be. */
function fractionOf({ nanoseconds }: Packet): number {
  return (nanoseconds % NANOSECONDS_PER_MS) / NANOSECONDS_PER_MS;
}
