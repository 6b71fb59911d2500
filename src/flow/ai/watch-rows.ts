// SPDX-License-Identifier: AGPL-3.0-or-later
import { i32, u16 } from "../../util/typed.ts";

/** Flows watched at once: a power of two below 2^16. */
export const WATCHED = 8192;

const NOBODY = -1;

/** Which flows are watched: a row each, by slot of the flow table; the row not touched for longest is given away first. */
export class WatchRows {
  /** Flows watched now. */
  size = 0;
  /** By slot: row plus one, 0 for a flow that is not watched. */
  readonly #rowOf: Uint16Array;
  /** By row. */
  readonly #slotOf = new Int32Array(WATCHED).fill(NOBODY);
  /** A ring through all rows and one more, which is before the oldest and behind the newest; free rows are the oldest. */
  readonly #newer = new Uint16Array(WATCHED + 1);
  readonly #older = new Uint16Array(WATCHED + 1);

  /** `slots`: those of the flow table. */
  constructor(slots: number) {
    this.#rowOf = new Uint16Array(slots);
    for (let row = 0; row <= WATCHED; row++) {
      this.#newer[row] = row === WATCHED ? 0 : row + 1;
      this.#older[row] = row === 0 ? WATCHED : row - 1;
    }
  }

  /** Row of a flow, -1 where it is not watched. */
  find(slot: number): number {
    return u16(this.#rowOf, slot) - 1;
  }

  /** Slot of a row's flow, -1 for a free row. */
  slot(row: number): number {
    return i32(this.#slotOf, row);
  }

  /** The row that `begin` will give. */
  next(): number {
    return u16(this.#newer, WATCHED);
  }

  /** Begins to watch a flow that is not watched, and gives it a row; whoever has that is watched no more. */
  begin(slot: number): number {
    const row = this.next();
    this.end(row);
    this.#slotOf[row] = slot;
    this.#rowOf[slot] = row + 1;
    this.size++;
    this.touch(row);
    return row;
  }

  /** Makes the row the newest. */
  touch(row: number): void {
    if (u16(this.#newer, row) === WATCHED) return;
    this.#unlink(row);
    this.#link(row, u16(this.#older, WATCHED));
  }

  /** Ends the watch of a row; does nothing where it is free. */
  end(row: number): void {
    const slot = this.slot(row);
    if (slot === NOBODY) return;
    this.#rowOf[slot] = 0;
    this.#slotOf[row] = NOBODY;
    this.size--;
    this.#unlink(row);
    this.#link(row, WATCHED);
  }

  #unlink(row: number): void {
    const newer = u16(this.#newer, row);
    const older = u16(this.#older, row);
    this.#newer[older] = newer;
    this.#older[newer] = older;
  }

  #link(row: number, older: number): void {
    const newer = u16(this.#newer, older);
    this.#newer[row] = newer;
    this.#older[row] = older;
    this.#newer[older] = row;
    this.#older[newer] = row;
  }
}
