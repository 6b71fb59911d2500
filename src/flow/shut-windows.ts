// SPDX-License-Identifier: AGPL-3.0-or-later
import { f64, i32 } from "../util/typed.ts";
import { type FlowRows, MARKS, Mark, ROW_SHIFT } from "./flow-rows.ts";
import { FlowState, STATE_MASK } from "./flow-state.ts";

/** Connections watched at once: of two in one place, the newer one is. Slots lie densely, so few share a place. */
const PLACES = 4096;
const { SHUT, STALLED } = Mark;
const { ESTABLISHED } = FlowState;
const PLACE_MASK = PLACES - 1;
/** Least announcements of a shut window, and how long they last, until the client is said to take nothing. */
const ANNOUNCEMENTS = 3;
const LASTING_MS = 10_000;
/** Who takes more than this within the time is slow, but reads. */
const TAKEN_BYTES = 65_536;

/** Follows how long clients keep their receive window shut, and whether they take anything meanwhile. */
export class ShutWindows {
  readonly #rows: FlowRows;
  readonly #slots = new Int32Array(PLACES).fill(-1);
  readonly #counts = new Int32Array(PLACES);
  readonly #sinceMs = new Float64Array(PLACES);
  /** What the server had sent by then. */
  readonly #bytes = new Float64Array(PLACES);

  constructor(rows: FlowRows) {
    this.#rows = rows;
  }

  /** Takes an announcement by the client of a flow; true, once per open connection, when it has lasted for too long. */
  note(slot: number, timeMs: number): boolean {
    const { words } = this.#rows;
    const marksAt = (slot << ROW_SHIFT) + MARKS;
    const marks = i32(words, marksAt);
    if ((marks & STALLED) !== 0 || (this.#rows.state(slot) & STATE_MASK) !== ESTABLISHED)
      return false;
    const place = slot & PLACE_MASK;
    const sent = this.#rows.bytes(slot, 1);
    const isWatched = (marks & SHUT) !== 0 && i32(this.#slots, place) === slot;
    if (!isWatched || sent - f64(this.#bytes, place) > TAKEN_BYTES) {
      words[marksAt] = marks | SHUT;
      this.#slots[place] = slot;
      this.#counts[place] = 1;
      this.#sinceMs[place] = timeMs;
      this.#bytes[place] = sent;
      return false;
    }
    const count = i32(this.#counts, place) + 1;
    this.#counts[place] = count;
    if (count < ANNOUNCEMENTS || timeMs - f64(this.#sinceMs, place) < LASTING_MS) return false;
    words[marksAt] = marks | STALLED;
    return true;
  }
}
