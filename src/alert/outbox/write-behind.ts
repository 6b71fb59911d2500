// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Clock } from "../../util/clock.ts";
import type { Change } from "./database.ts";

/** Wait before a write that failed is tried again. */
const RETRY_MS = 10_000;

export interface WriteBehindOptions {
  readonly clock: Clock;
  /** Puts changes on the disk, all or none; rejects where it cannot. */
  write(changes: readonly Change[]): Promise<void>;
  /** Called when writing begins to fail, with the error, and when it works again. */
  failing(error: unknown): void;
  recovered(): void;
}

/**
 * Changes on their way to the disk. What comes while a write is under way goes into the next one, so that a thousand
 * changes wait for a few writes and not for a thousand. Of several changes to one record only the last is written. What
 * could not be written is kept and tried again.
 */
export class WriteBehind {
  readonly #options: WriteBehindOptions;
  #waiting = new Map<string, () => Change>();
  #writing: Promise<void> | undefined;
  /** Batches begun and ended, the failed ones included. */
  #begun = 0;
  #ended = 0;
  #isFailing = false;
  #isEnded = false;
  #cancelRetry = (): void => {};

  constructor(options: WriteBehindOptions) {
    this.#options = options;
  }

  get isFailing(): boolean {
    return this.#isFailing;
  }

  /** True while nothing waits for the disk. */
  get isIdle(): boolean {
    return this.#waiting.size === 0 && this.#writing === undefined;
  }

  /** Takes a change; `key` names its record. It is worked out when it is written. */
  add(key: string, change: () => Change): void {
    this.#waiting.delete(key);
    this.#waiting.set(key, change);
    // The other changes of this turn of the event loop share the write.
    if (!this.#isFailing) queueMicrotask(() => this.#start());
  }

  /** Resolves when all that was added is on the disk, or cannot be put there; undefined where that is so already. */
  settled(): Promise<void> | undefined {
    if (this.isIdle || this.#isFailing) return undefined;
    return this.#settle();
  }

  /** Tries once more to write what waits, then takes nothing more. */
  async end(): Promise<void> {
    while (this.#writing) await this.#writing;
    this.#isEnded = true;
    if (this.#waiting.size > 0) await this.#write();
    this.#cancelRetry();
  }

  /** Waits for the batch that holds the newest change, not for what comes after it. */
  async #settle(): Promise<void> {
    const batch = this.#waiting.size > 0 ? this.#begun + 1 : this.#begun;
    for (;;) {
      this.#start();
      if (this.#ended >= batch || !this.#writing) return;
      await this.#writing;
    }
  }

  #start(): void {
    if (this.#writing || this.#waiting.size === 0 || this.#isEnded) return;
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined;
      if (!this.#isFailing) this.#start();
    });
  }

  async #write(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = new Map();
    this.#begun++;
    try {
      await this.#options.write([...batch.values()].map((change) => change()));
      if (!this.#isFailing) return;
      this.#isFailing = false;
      this.#options.recovered();
    } catch (error) {
      // What came meanwhile is newer.
      this.#waiting = new Map([...batch, ...this.#waiting]);
      if (!this.#isFailing) this.#options.failing(error);
      this.#isFailing = true;
      this.#cancelRetry();
      this.#cancelRetry = this.#options.clock.after(RETRY_MS, () => this.#start());
    } finally {
      this.#ended++;
    }
  }
}
