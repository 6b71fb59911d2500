// SPDX-License-Identifier: AGPL-3.0-or-later
import { type Packet, TcpFlag } from "../decode/packet.ts";
import type { CellLayout } from "../metrics/cells.ts";
import { add, i32, u8 } from "../util/typed.ts";
import { FlowEvents } from "./flow-events.ts";
import {
  Eviction,
  FIRST_OUTCOME,
  FLOW_PROTOCOLS,
  flowProtocols,
  flowsEvicted,
  flowsStarted,
  handshakes,
  LAST_OUTCOME,
  synTimeoutsMissed,
} from "./flow-metrics.ts";
import type { FlowRows } from "./flow-rows.ts";
import { FlowState, hasEnded, idleMs, isConnected, isHalfOpen, STATE_MASK } from "./flow-state.ts";
import { FlowTable } from "./flow-table.ts";
import { QuotedFlows } from "./quoted-flows.ts";
import { RoundTrips } from "./round-trips.ts";
import { Starvation } from "./starvation.ts";
import { SynTimeouts } from "./syn-timeouts.ts";
import { tcpRtt } from "./tcp-metrics.ts";
import { TcpSequences } from "./tcp-sequences.ts";
import { answerStep, eventOf, hasTcpHeader, stateOf, tcpStart, tcpStep } from "./tcp-state.ts";
import { BATCH_PACKETS, BRIEF_BYTES, FlowEvent } from "./tracker.ts";

const TCP = 6;
const NOT_LOOKED_UP = -2;
/** A connection silent for this long whose client sends a SYN has ended unseen. */
const REUSE_AFTER_MS = 30_000;
/** Times are int32 milliseconds of an epoch that moves up long before they could overflow. */
const EPOCH_LIMIT_MS = 0x40000000;
/** Most work at a window's end, so that no packet waits for it longer than a few milliseconds. */
const SYN_TIMEOUTS_PER_WINDOW = 16_384;
const ENDS_PER_WINDOW = 65_536;

// Local constants: an imported object would be read anew for each packet.
const { ANSWERED, ESTABLISHED, MIDSTREAM, OPEN } = FlowState;
const BATCH_MASK = BATCH_PACKETS - 1;
const CONTROL = TcpFlag.SYN | TcpFlag.FIN | TcpFlag.RST;

export interface FlowsOptions {
  readonly layout: CellLayout;
  readonly counters: Float64Array;
  readonly hashSeed: number;
  readonly capacity: number;
}

/**
 * The life of every flow: begun or continued by each packet, ended by time or to make room, and what happened to
 * it said as flow events.
 */
export class Flows {
  readonly table: FlowTable;
  readonly events: FlowEvents;
  /** Flows held now, by position in FLOW_PROTOCOLS. */
  readonly active = new Int32Array(FLOW_PROTOCOLS.length);
  /** True when the last packet was the first of its flow in this window. */
  isFirstOfWindow = false;
  readonly sequences: TcpSequences;
  readonly #rows: FlowRows;
  readonly #roundTrips: RoundTrips;
  readonly #synTimeouts: SynTimeouts;
  readonly #starvation: Starvation;
  readonly #quoted: QuotedFlows;
  readonly #protocols = flowProtocols();
  readonly #counters: Float64Array;
  readonly #startedCells: number = 0;
  readonly #evictedCells: number = 0;
  readonly #outcomeCells: number = 0;
  readonly #missedCell: number = 0;
  #epochMs = 0;
  #windowStart = 0;
  #sweepAt = 0;

  constructor(options: FlowsOptions) {
    const { layout } = options;
    this.table = new FlowTable(options.capacity, options.hashSeed);
    this.#rows = this.table.rows;
    this.events = new FlowEvents(this.#rows);
    this.#quoted = new QuotedFlows(this.table, (slot, timeMs, lengthBytes) =>
      this.#refuse(slot, timeMs, lengthBytes),
    );
    this.sequences = new TcpSequences(this.#rows, layout, options.counters, (slot, timeMs) =>
      this.#report(FlowEvent.STALLED, slot, timeMs),
    );
    this.#roundTrips = new RoundTrips(this.#rows, options.counters, layout.base(tcpRtt));
    this.#synTimeouts = new SynTimeouts(this.table, (slot, dueAt) =>
      this.#report(FlowEvent.UNANSWERED, slot, this.#epochMs + dueAt),
    );
    this.#starvation = new Starvation(this.table, (slot, dueAt) =>
      this.#report(FlowEvent.STARVED, slot, this.#epochMs + dueAt),
    );
    this.#counters = options.counters;
    this.#startedCells = layout.base(flowsStarted);
    this.#evictedCells = layout.base(flowsEvicted);
    this.#outcomeCells = layout.base(handshakes);
    this.#missedCell = layout.base(synTimeoutsMissed);
  }

  /**
   * Takes an IP packet; returns its flow's slot. `table.side` then says which end sent it. `timeMs` does not go
   * back by more than a window. `found` is what the table's last lookup, of this packet, returned.
   */
  accept(packet: Packet, timeMs: number, found: number = NOT_LOOKED_UP): number {
    const slot = this.#slotOf(packet, timeMs, found);
    if (hasTcpHeader(packet)) {
      const { view, transportAt, payloadLength } = packet;
      this.sequences.take(slot, this.table.side, view, transportAt, payloadLength, timeMs);
    }
    return slot;
  }

  #slotOf(packet: Packet, timeMs: number, found: number): number {
    const slot = found === NOT_LOOKED_UP ? this.table.find(packet) : found;
    const isQuiet = (packet.tcpFlags & CONTROL) === 0 && packet.quotedAt < 0;
    if (slot >= 0 && isQuiet && this.continueQuietly(slot, packet.wireLength, timeMs)) return slot;
    return this.#acceptEvent(slot, packet, this.#sinceEpoch(timeMs), timeMs);
  }

  /**
   * Takes a packet to which nothing happens but that its flow's counts and time-out go on, and returns true; does
   * nothing and returns false where there is more to do. `slot` and `table.side` are those of the last lookup; the
   * packet carries no TCP flag but ACK and PSH, and is no ICMP error.
   */
  continueQuietly(slot: number, lengthBytes: number, timeMs: number): boolean {
    const now = this.#sinceEpoch(timeMs);
    const rows = this.#rows;
    const { side } = this.table;
    const state = rows.state(slot);
    const expiry = rows.expiry(slot);
    const isOpenBothWays = state === ESTABLISHED || state === ANSWERED;
    const isOneSided = (state === MIDSTREAM || state === OPEN) && side === 0;
    if (!(isOpenBothWays || isOneSided) || expiry <= now) return false;
    const idle = idleMs(state);
    this.isFirstOfWindow = expiry - idle < this.#windowStart;
    this.#count(slot, side, 0, lengthBytes, timeMs);
    rows.setExpiry(slot, now + idle);
    return true;
  }

  /** End of a window: says which SYNs went unanswered and ends the flows whose time is over. */
  close(timeMs: number): void {
    const now = this.#sinceEpoch(timeMs);
    this.#synTimeouts.settle(now, SYN_TIMEOUTS_PER_WINDOW);
    this.#starvation.settle(now);
    this.#sweep(now);
    this.#windowStart = now;
  }

  #sinceEpoch(timeMs: number): number {
    const now = timeMs - this.#epochMs;
    if (now < EPOCH_LIMIT_MS) return now | 0;
    // Every 12 days, after a leap of the clock, and at the first packet.
    this.table.shiftEpoch(now);
    this.#synTimeouts.shiftEpoch(now);
    this.#starvation.shiftEpoch(now);
    this.#windowStart = 0;
    this.#epochMs = timeMs;
    return 0;
  }

  /** A packet that may begin a flow, or change the state of one. */
  #acceptEvent(found: number, packet: Packet, now: number, timeMs: number): number {
    // First, since a flow that begins may take the place of the quoted one.
    const isAskedFor = packet.quotedAt >= 0 && this.#quoted.take(packet, found, now, timeMs);
    if (found < 0 || !this.#isContinued(found, packet, now)) {
      return this.#start(packet, now, timeMs, isAskedFor);
    }
    if (isAskedFor && this.table.side === 0) this.#rows.countAsked(found);
    return this.#continue(found, packet, now, timeMs);
  }

  /** False where the packet begins another flow with the same key; the old one is ended then. */
  #isContinued(slot: number, packet: Packet, now: number): boolean {
    const state = this.#rows.state(slot);
    if (this.table.rows.expiry(slot) <= now) {
      this.#end(slot, hasEnded(state) ? Eviction.CLOSED : Eviction.IDLE);
      return false;
    }
    const isSyn = (packet.tcpFlags & (CONTROL | TcpFlag.ACK)) === TcpFlag.SYN;
    if (!isSyn || isHalfOpen(state)) return true;
    if (!hasEnded(state) && now - this.#lastSeen(slot, state) < REUSE_AFTER_MS) return true;
    this.#end(slot, Eviction.CLOSED);
    return false;
  }

  #start(packet: Packet, now: number, timeMs: number, isAskedFor: boolean): number {
    const { table, events } = this;
    const first = hasTcpHeader(packet) ? tcpStart(packet.tcpFlags) : FlowState.OPEN;
    const state = stateOf(first);
    const event = eventOf(first);
    const side = event === FlowEvent.SYN_ACK ? 1 : 0;
    const victim = table.victim();
    if (victim >= 0) this.#remove(victim, now);
    const slot = table.insert(packet, side, state, now);
    table.rows.setExpiry(slot, now + idleMs(state));
    this.#rows.count(slot, side, packet.wireLength);
    if (isAskedFor) this.#rows.countAsked(slot);
    const protocol = u8(this.#protocols, packet.ipProtocol);
    this.active[protocol] = i32(this.active, protocol) + 1;
    add(this.#counters, this.#startedCells + protocol, 1);
    this.isFirstOfWindow = true;
    events.about(slot, timeMs, side, packet.tcpFlags, packet.wireLength);
    events.say(FlowEvent.STARTED);
    if (event !== 0) events.say(event);
    if (event === FlowEvent.SYN) {
      this.#roundTrips.begin(slot, packet);
      if (!this.#synTimeouts.watch(slot, now)) add(this.#counters, this.#missedCell, 1);
    }
    return slot;
  }

  #continue(slot: number, packet: Packet, now: number, timeMs: number): number {
    const { side } = this.table;
    const state = this.#rows.state(slot);
    this.isFirstOfWindow = this.#lastSeen(slot, state) < this.#windowStart;
    const taken = hasTcpHeader(packet)
      ? tcpStep(state, side, packet.tcpFlags, packet.payloadLength)
      : answerStep(state, side);
    const next = stateOf(taken);
    this.#rows.setState(slot, next);
    this.#count(slot, side, packet.tcpFlags, packet.wireLength, timeMs);
    this.table.rows.setExpiry(slot, now + idleMs(next));
    const event = eventOf(taken);
    if (event === FlowEvent.ESTABLISHED && hasTcpHeader(packet)) this.#starvation.watch(slot, now);
    if (event === FlowEvent.ESTABLISHED && side === 0) this.#roundTrips.end(slot, packet);
    else if (event !== FlowEvent.SYN_ACK && (packet.tcpFlags & TcpFlag.SYN) !== 0) {
      this.#roundTrips.repeat(slot);
    }
    if (event !== 0) this.#report(event, slot, timeMs, side, packet.tcpFlags, packet.wireLength);
    else if (hasEnded(next) && isConnected(state) && this.#rows.bytes(slot, 1) <= BRIEF_BYTES) {
      this.#report(FlowEvent.BRIEF, slot, timeMs, side, packet.tcpFlags, packet.wireLength);
    }
    return slot;
  }

  #refuse(slot: number, timeMs: number, lengthBytes: number): void {
    const state = this.#rows.state(slot);
    const phase = state & STATE_MASK;
    if (phase !== FlowState.OPEN && phase !== FlowState.SYN_SENT) return;
    this.table.rows.setExpiry(slot, this.#lastSeen(slot, state) + idleMs(FlowState.REFUSED));
    this.#rows.setState(slot, FlowState.REFUSED);
    this.#report(FlowEvent.REFUSED, slot, timeMs, 1, 0, lengthBytes);
  }

  #report(event: number, slot: number, timeMs: number, side = 0, flags = 0, length = 0): void {
    const isOutcome = event >= FIRST_OUTCOME && event <= LAST_OUTCOME;
    if (isOutcome && this.#rows.ipProtocol(slot) === TCP) {
      add(this.#counters, this.#outcomeCells + event - FIRST_OUTCOME, 1);
    }
    this.events.about(slot, timeMs, side, flags, length);
    this.events.say(event);
  }

  /** Counts a packet of a flow that goes on. */
  #count(slot: number, side: number, tcpFlags: number, lengthBytes: number, timeMs: number): void {
    this.#rows.count(slot, side, lengthBytes);
    if ((this.#rows.packets(slot, side) & BATCH_MASK) !== 0) return;
    this.#report(FlowEvent.BATCH, slot, timeMs, side, tcpFlags, lengthBytes);
    if (side === 0) this.#rows.forgetAsked(slot);
  }

  #sweep(now: number): void {
    const { table } = this;
    let slot = table.nextExpired(this.#sweepAt, now);
    for (let ended = 0; slot < table.end && ended < ENDS_PER_WINDOW; ended++) {
      this.#remove(slot, now);
      slot = table.nextExpired(slot + 1, now);
    }
    this.#sweepAt = slot < table.end ? slot : 0;
  }

  /** Ends a flow whose time is over or whose place is needed. */
  #remove(slot: number, now: number): void {
    if (hasEnded(this.#rows.state(slot))) this.#end(slot, Eviction.CLOSED);
    else this.#end(slot, this.table.rows.expiry(slot) <= now ? Eviction.IDLE : Eviction.CAPACITY);
  }

  #end(slot: number, reason: number): void {
    const protocol = u8(this.#protocols, this.#rows.ipProtocol(slot));
    this.active[protocol] = i32(this.active, protocol) - 1;
    add(this.#counters, this.#evictedCells + reason, 1);
    this.table.remove(slot);
  }

  /** The time-out was set by the last packet, so it tells when that was. */
  #lastSeen(slot: number, state: number): number {
    return this.table.rows.expiry(slot) - idleMs(state);
  }
}
