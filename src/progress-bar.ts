// SPDX-License-Identifier: AGPL-3.0-or-later

const WIDTH = 30;
const CLEAR_LINE = "\r\u001b[K";
const SHORTEST_REDRAW_MS = 100;

/** One line that is drawn over again; draws nothing where the output is no terminal. */
export class ProgressBar {
  readonly #write: ((text: string) => unknown) | null;
  #drawnMs = 0;

  constructor(output: { write(text: string): unknown; readonly isTTY?: boolean | undefined }) {
    this.#write = output.isTTY ? (text) => output.write(text) : null;
  }

  /** `part` from 0 to 1, null where the end is not known. */
  show(label: string, part: number | null): void {
    const nowMs = performance.now();
    if (!this.#write || nowMs - this.#drawnMs < SHORTEST_REDRAW_MS) return;
    this.#drawnMs = nowMs;
    const filled = Math.round(WIDTH * Math.min(1, part ?? 0));
    const bar =
      part === null
        ? ""
        : `[${"#".repeat(filled)}${"-".repeat(WIDTH - filled)}] ${Math.floor(100 * part)} % `;
    this.#write(`${CLEAR_LINE}${bar}${label}`);
  }

  /** Leaves an empty line for whatever is written next. */
  clear(): void {
    this.#write?.(CLEAR_LINE);
  }
}
