// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { ActiveSources, SOURCES_MAX } from "../../../src/flow/ai/active-sources.ts";
import { CATEGORIES } from "../../../src/flow/ai/pairs.ts";

const MINUTE_MS = 60_000;
const API = CATEGORIES.indexOf("llm_api");
const CHAT = CATEGORIES.indexOf("chat_app");

class Bench {
  readonly sources = new ActiveSources(7);
  readonly #counts = new Float64Array(CATEGORIES.length + 2);

  note(host: number, category: number, timeMs: number): void {
    this.sources.note(0, 0, 0xffff, host, category, timeMs);
  }

  counts(timeMs: number): Partial<Record<string, number>> {
    this.sources.count(this.#counts, 1, timeMs);
    expect([this.#counts[0], this.#counts.at(-1)]).toEqual([0, 0]);
    const found = CATEGORIES.map((category, at) => [category, this.#counts[at + 1] ?? 0] as const);
    return Object.fromEntries(found.filter(([, count]) => count > 0));
  }
}

describe("active sources", () => {
  // Time counts from anywhere: a capture may begin with the epoch.
  it.each([0, 1_700_000_000_000])("are counted once for each category, from %d on", (start) => {
    const bench = new Bench();
    expect(bench.counts(start)).toEqual({});
    for (const host of [1, 2, 3, 2, 1]) bench.note(host, API, start);
    bench.note(2, CHAT, start + 1000);
    expect(bench.counts(start + 2000)).toEqual({ llm_api: 3, chat_app: 1 });
  });

  it("are forgotten after ten minutes without a flow, category by category", () => {
    const bench = new Bench();
    bench.note(1, API, 0);
    bench.note(1, CHAT, 0);
    bench.note(2, API, 5 * MINUTE_MS);
    bench.note(1, CHAT, 6 * MINUTE_MS);
    expect(bench.counts(10 * MINUTE_MS - 1)).toEqual({ llm_api: 2, chat_app: 1 });
    expect(bench.counts(10 * MINUTE_MS)).toEqual({ llm_api: 1, chat_app: 1 });
    expect(bench.counts(15 * MINUTE_MS)).toEqual({ chat_app: 1 });
    expect(bench.counts(16 * MINUTE_MS)).toEqual({});
  });

  it("are exact up to their number, then say so, until others have gone", () => {
    const bench = new Bench();
    for (let host = 0; host < SOURCES_MAX; host++) bench.note(host, API, 1000);
    expect(bench.counts(1000)).toEqual({ llm_api: SOURCES_MAX });
    expect(bench.sources.isSaturated).toBe(false);
    bench.note(1_000_000, API, 2000);
    bench.note(5, CHAT, 2000);
    expect(bench.sources.isSaturated).toBe(true);
    expect(bench.counts(2000)).toEqual({ llm_api: SOURCES_MAX, chat_app: 1 });
    expect(bench.counts(12 * MINUTE_MS)).toEqual({});
    expect(bench.sources.isSaturated).toBe(false);
    bench.note(1_000_000, API, 12 * MINUTE_MS);
    expect(bench.counts(12 * MINUTE_MS)).toEqual({ llm_api: 1 });
  });
});
