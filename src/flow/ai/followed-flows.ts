// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Packet } from "../../decode/packet.ts";
import { lastingI32 } from "../../util/lasting.ts";
import { f64, i32, u8 } from "../../util/typed.ts";
import type { FlowRows } from "../flow-rows.ts";
import { Evidence } from "./flow-names.ts";
import type { Names } from "./names.ts";

/** Flows that are followed at once. */
const CAPACITY = 16_384;
const TCP = 6;
/**
 * What a client sends once it has seen the ServerHello: a Finished and its first data are more than this, an alert that
 * ends the handshake is less. Payload of TCP; over QUIC bytes on the wire, where the first answer is padded (RFC 9000 §14.1).
 */
const FINISHED_BYTES = 64;
const FINISHED_WIRE_BYTES = 1300;
/** Less than this from the server is no answer to anything that was asked. */
const ANSWER_BYTES = 1000;

const Stage = { GREETED: 0, ANSWERED: 1, COMPLETED: 2 } as const;

/** What a followed flow carried since it was last told; `isCompleted` once, when its server has answered for the first time. */
export type FollowedListener = (
  slot: number,
  upBytes: number,
  downBytes: number,
  isCompleted: boolean,
) => void;

/** Reads the byte counts of some flows when a window ends, so that their packets cost nothing more. */
export class FollowedFlows {
  readonly #rows: FlowRows;
  readonly #names: Names;
  readonly #isWanted: (slot: number) => boolean;
  readonly #tell: FollowedListener;
  /** By slot, the flow's place plus one. */
  readonly #placeOf: Int32Array;
  readonly #slots = new Int32Array(CAPACITY);
  readonly #up = new Float64Array(CAPACITY);
  readonly #down = new Float64Array(CAPACITY);
  /** What the client had sent by the ServerHello: a TCP sequence number, or bytes. */
  readonly #marks = new Float64Array(CAPACITY);
  readonly #stages = new Uint8Array(CAPACITY);
  #size = 0;

  /** A flow is followed until it ends, or `isWanted` no more. */
  constructor(
    rows: FlowRows,
    names: Names,
    isWanted: (slot: number) => boolean,
    tell: FollowedListener,
  ) {
    this.#rows = rows;
    this.#names = names;
    this.#isWanted = isWanted;
    this.#tell = tell;
    this.#placeOf = lastingI32(rows.capacity);
  }

  get size(): number {
    return this.#size;
  }

  /** Follows a flow from its start; false where there is no room. A flow that is followed already is not begun again. */
  follow(slot: number, isFirst: boolean): boolean {
    let place = i32(this.#placeOf, slot) - 1;
    if (place >= 0 && !isFirst) return true;
    if (place < 0) {
      if (this.#size === CAPACITY) return false;
      place = this.#size++;
      this.#placeOf[slot] = place + 1;
      this.#slots[place] = slot;
    }
    this.#up[place] = 0;
    this.#down[place] = 0;
    this.#stages[place] = Stage.GREETED;
    return true;
  }

  /** The packet holds the ServerHello of its flow. */
  answered(packet: Packet): void {
    const place = i32(this.#placeOf, packet.flow) - 1;
    if (place < 0 || u8(this.#stages, place) !== Stage.GREETED) return;
    this.#stages[place] = Stage.ANSWERED;
    this.#marks[place] =
      packet.ipProtocol === TCP
        ? packet.tcpAcknowledgment
        : this.#rows.bytes(packet.flow, 1 - packet.flowSide);
  }

  /** Tells of every flow that carried something; before flows end, whose bytes would be lost. */
  sweep(): void {
    for (let place = this.#size - 1; place >= 0; place--) {
      const slot = i32(this.#slots, place);
      if (this.#rows.isUsed(slot) && this.#isWanted(slot)) this.#look(place, slot);
      else this.#drop(place, slot);
    }
  }

  #look(place: number, slot: number): void {
    const client = this.#names.clientSide(slot);
    const up = this.#rows.bytes(slot, client);
    const down = this.#rows.bytes(slot, 1 - client);
    const isCompleted =
      u8(this.#stages, place) !== Stage.COMPLETED &&
      down >= ANSWER_BYTES &&
      this.#hasFinished(place, slot, client);
    const moreUp = up - f64(this.#up, place);
    const moreDown = down - f64(this.#down, place);
    if (moreUp + moreDown === 0 && !isCompleted) return;
    if (isCompleted) this.#stages[place] = Stage.COMPLETED;
    this.#up[place] = up;
    this.#down[place] = down;
    this.#tell(slot, moreUp, moreDown, isCompleted);
  }

  /** True where the client went on after the ServerHello; HTTP in clear text has no handshake. */
  #hasFinished(place: number, slot: number, client: number): boolean {
    if (this.#names.evidence(slot) === Evidence.HTTP_HOST) return true;
    if (u8(this.#stages, place) !== Stage.ANSWERED) return false;
    const mark = f64(this.#marks, place);
    if (this.#rows.ipProtocol(slot) !== TCP) {
      return this.#rows.bytes(slot, client) - mark >= FINISHED_WIRE_BYTES;
    }
    return ((this.#rows.nextSequence(slot, client) - mark) | 0) >= FINISHED_BYTES;
  }

  /** The last one takes the place. */
  #drop(place: number, slot: number): void {
    const last = --this.#size;
    const moved = i32(this.#slots, last);
    this.#placeOf[slot] = 0;
    if (place === last) return;
    this.#slots[place] = moved;
    this.#up[place] = f64(this.#up, last);
    this.#down[place] = f64(this.#down, last);
    this.#marks[place] = f64(this.#marks, last);
    this.#stages[place] = u8(this.#stages, last);
    this.#placeOf[moved] = place + 1;
  }
}
