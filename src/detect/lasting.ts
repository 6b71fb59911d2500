// SPDX-License-Identifier: AGPL-3.0-or-later

const HOUR_MS = 3_600_000;

/** What has lasted for hours is told once, until it is over. The callers' own closed lists bound the keys. */
export class Lasting {
  readonly #hours: number;
  readonly #since = new Map<string, { readonly ms: number; isTold: boolean }>();

  constructor(hours: number) {
    this.#hours = hours;
  }

  /** Takes whether it is so now; true the first time that it has been so for long enough. */
  update(key: string, isSo: boolean, elapsedMs: number): boolean {
    if (!isSo) {
      this.#since.delete(key);
      return false;
    }
    const since = this.#since.get(key) ?? { ms: elapsedMs, isTold: false };
    this.#since.set(key, since);
    if (since.isTold || elapsedMs - since.ms < this.#hours * HOUR_MS) return false;
    since.isTold = true;
    return true;
  }
}
