// SPDX-License-Identifier: AGPL-3.0-or-later
import { RecentSum } from "./recent-sum.ts";
import type { ContactRow } from "./scan-source.ts";

const SECONDS = 60;
/** Contacts that came to nothing, within a minute, before a source says anything about the uplink. */
const FEWEST_FAILURES = 3;
/** So many sources at once are not all infected. */
const FEWEST_SOURCES = 3;
/** A source of which more than this share succeeds is connected. */
const CONNECTED = 0.1;
/** Sources that are watched; more need no watching to be many. */
const CAPACITY = 1024;

/**
 * Whether the home network as a whole gets no answers: then sources that try many hosts in vain are its usual clients.
 * One or two scanners among hosts that are answered are no outage.
 */
export class Outage {
  readonly #sources = new Map<string, { answered: RecentSum; failed: RecentSum; seenMs: number }>();
  #elapsedMs = 0;
  #cutOff = 0;
  #connected = 0;

  /** True while at least three home sources meet silence, and most of those that make contacts. */
  get lasts(): boolean {
    return this.#cutOff >= FEWEST_SOURCES && this.#cutOff > this.#connected;
  }

  /** Begins a tick. */
  advance(elapsedMs: number): void {
    this.#elapsedMs = elapsedMs;
    this.#cutOff = 0;
    this.#connected = 0;
    for (const [address, { answered, failed, seenMs }] of this.#sources) {
      if (elapsedMs - seenMs > SECONDS * 1000) this.#sources.delete(address);
      else if (isCutOff(answered.add(0, elapsedMs), failed.add(0, elapsedMs))) this.#cutOff++;
      else if (answered.add(0, elapsedMs) > 0) this.#connected++;
    }
  }

  /** Takes what a home source's contacts of the tick came to. */
  add(address: string, rows: readonly ContactRow[]): void {
    let source = this.#sources.get(address);
    if (!source) {
      if (this.#sources.size >= CAPACITY) return;
      source = { answered: new RecentSum(SECONDS), failed: new RecentSum(SECONDS), seenMs: 0 };
      this.#sources.set(address, source);
    }
    source.seenMs = this.#elapsedMs;
    for (const { successes, unanswered } of rows) {
      source.answered.add(successes, this.#elapsedMs);
      source.failed.add(unanswered, this.#elapsedMs);
    }
  }
}

function isCutOff(answered: number, failed: number): boolean {
  return failed >= FEWEST_FAILURES && answered <= CONNECTED * (answered + failed);
}
