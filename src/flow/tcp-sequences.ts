// SPDX-License-Identifier: AGPL-3.0-or-later
import { TcpFlag } from "../decode/packet.ts";
import type { CellLayout } from "../metrics/cells.ts";
import { add, i32 } from "../util/typed.ts";
import { type FlowRows, MARKS, Mark, NEXT_SEQUENCE, ROW_SHIFT } from "./flow-rows.ts";
import { SequenceHoles } from "./sequence-holes.ts";
import { ShutWindows } from "./shut-windows.ts";
import {
  tcpOutOfOrder,
  tcpPayloadBytes,
  tcpRetransmissions,
  tcpUnseenBytes,
  tcpZeroWindows,
} from "./tcp-metrics.ts";

const { FIN, SYN, RST, ACK } = TcpFlag;
const { KNOWN, HOLE } = Mark;
const SYN_OR_FIN = SYN | FIN;
/** Offsets in the header (RFC 9293 §3.1). */
const SEQUENCE_AT = 4;
const ACKNOWLEDGMENT_AT = 8;
const FLAGS_AT = 13;
const WINDOW_AT = 14;

/** A segment that fills a hole this soon was overtaken on its way; a later one was sent again (as Wireshark has it). */
const OVERTAKEN_MS = 3;
/** Not even a segment's header of data fits, whatever window scale a busy host uses (RFC 7323 §2.2). */
const TIGHT_WINDOW = 16;
/** Two segments further apart than the largest window belong to no stream. */
const FAR = 1 << 30;
/** An acknowledgment of more than this much that was never seen is no sign of loss but of nonsense. */
const UNSEEN_MAX = 1 << 24;

/**
 * Follows the sequence numbers of both sides of TCP flows (RFC 9293 §3.4): what was sent again, what came out of order, what
 * the other end acknowledged although it was never captured, and windows that are shut.
 */
export class TcpSequences {
  readonly #rows: FlowRows;
  readonly #holes: SequenceHoles;
  readonly #shutWindows: ShutWindows;
  readonly #stalled: (slot: number, timeMs: number) => void;
  readonly #counters: Float64Array;
  readonly #payloadCell: number = 0;
  readonly #retransmissionCell: number = 0;
  readonly #outOfOrderCell: number = 0;
  readonly #unseenCell: number = 0;
  readonly #zeroWindowCell: number = 0;

  /** `stalled` is called once for each flow whose client keeps its window shut and takes next to nothing. */
  constructor(
    rows: FlowRows,
    layout: CellLayout,
    counters: Float64Array,
    stalled: (slot: number, timeMs: number) => void,
  ) {
    this.#rows = rows;
    this.#stalled = stalled;
    this.#shutWindows = new ShutWindows(rows);
    this.#holes = new SequenceHoles();
    this.#counters = counters;
    this.#payloadCell = layout.base(tcpPayloadBytes);
    this.#retransmissionCell = layout.base(tcpRetransmissions);
    this.#outOfOrderCell = layout.base(tcpOutOfOrder);
    this.#unseenCell = layout.base(tcpUnseenBytes);
    this.#zeroWindowCell = layout.base(tcpZeroWindows);
  }

  /** Takes a segment that one side of a flow has sent, whose header is at `at`; every one, in the order of capture. */
  take(
    slot: number,
    side: number,
    view: DataView,
    at: number,
    payloadLength: number,
    timeMs: number,
  ): void {
    const { words } = this.#rows;
    const flags = view.getUint8(at + FLAGS_AT);
    if ((flags & RST) !== 0) return;
    const row = slot << ROW_SHIFT;
    const marks = words[row + MARKS] as number;
    const length = (flags & SYN_OR_FIN) === 0 ? payloadLength : payloadLength + 1;
    if (length > 0) {
      const sequence = view.getInt32(at + SEQUENCE_AT);
      const isNext = sequence === words[row + NEXT_SEQUENCE + side];
      if (isNext && (marks & (KNOWN << side)) !== 0) {
        words[row + NEXT_SEQUENCE + side] = (sequence + length) | 0;
      } else {
        this.#unexpected(slot, side, sequence, length, (flags & SYN_OR_FIN) === 0, timeMs);
      }
      add(this.#counters, this.#payloadCell, payloadLength);
    }
    const other = 1 - side;
    if ((marks & (KNOWN << other)) !== 0 && (flags & ACK) !== 0) {
      const acknowledgment = view.getInt32(at + ACKNOWLEDGMENT_AT);
      const ahead = (acknowledgment - (words[row + NEXT_SEQUENCE + other] as number)) | 0;
      if (ahead > 0 || (marks & (HOLE << other)) !== 0) {
        this.#acknowledged(slot, other, acknowledgment, ahead);
      }
    }
    const window = view.getUint16(at + WINDOW_AT);
    if (window < TIGHT_WINDOW && (flags & SYN_OR_FIN) === 0) {
      this.#tight(slot, side, window, timeMs);
    }
  }

  #tight(slot: number, side: number, window: number, timeMs: number): void {
    if (window === 0) add(this.#counters, this.#zeroWindowCell, 1);
    if (side === 0 && this.#shutWindows.note(slot, timeMs)) this.#stalled(slot, timeMs);
  }

  /** A segment that does not begin where the last one of its side ended; `isData` without SYN and FIN. */
  #unexpected(
    slot: number,
    side: number,
    sequence: number,
    length: number,
    isData: boolean,
    timeMs: number,
  ): void {
    const { words } = this.#rows;
    const row = slot << ROW_SHIFT;
    const marks = i32(words, row + MARKS);
    const next = i32(words, row + NEXT_SEQUENCE + side);
    const end = (sequence + length) | 0;
    const ahead = (sequence - next) | 0;
    if ((marks & (KNOWN << side)) === 0 || ahead > FAR || ahead < -FAR) {
      words[row + MARKS] = (marks | (KNOWN << side)) & ~(HOLE << side);
      words[row + NEXT_SEQUENCE + side] = end;
      return;
    }
    // A keep-alive, or a probe of a shut window (RFC 9293 §3.8.4, §3.8.6.1).
    if (ahead === -1 && length === 1 && isData) return;
    if (((end - next) | 0) > 0) words[row + NEXT_SEQUENCE + side] = end;
    if (ahead > 0) {
      words[row + MARKS] = marks | (HOLE << side);
      this.#holes.open(slot, side, next, sequence, timeMs);
    } else {
      this.#again(slot, side, sequence, end, timeMs);
    }
  }

  /** A segment with bytes that the stream had passed. */
  #again(slot: number, side: number, sequence: number, end: number, timeMs: number): void {
    const openMs = this.#hasHole(slot, side)
      ? this.#holes.fill(slot, side, sequence, end, timeMs)
      : -1;
    const isOvertaken = openMs >= 0 && openMs <= OVERTAKEN_MS;
    add(this.#counters, isOvertaken ? this.#outOfOrderCell : this.#retransmissionCell, 1);
  }

  /** The other end has all bytes of `side` before `acknowledgment`, which is `ahead` of what was captured. */
  #acknowledged(slot: number, side: number, acknowledgment: number, ahead: number): void {
    const { words } = this.#rows;
    const row = slot << ROW_SHIFT;
    let unseen = 0;
    if (this.#hasHole(slot, side)) {
      const left = this.#holes.acknowledge(slot, side, acknowledgment);
      if (left >= 0) {
        unseen += left;
        words[row + MARKS] = i32(words, row + MARKS) & ~(HOLE << side);
      }
    }
    if (ahead > 0) {
      unseen += ahead;
      words[row + NEXT_SEQUENCE + side] = acknowledgment;
    }
    if (unseen <= UNSEEN_MAX) add(this.#counters, this.#unseenCell, unseen);
  }

  #hasHole(slot: number, side: number): boolean {
    return (i32(this.#rows.words, (slot << ROW_SHIFT) + MARKS) & (HOLE << side)) !== 0;
  }
}
