// SPDX-License-Identifier: AGPL-3.0-or-later
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alertSettings } from "../../src/alert/all.ts";
import { isLike, matches } from "../../src/alert/silence.ts";
import { readSilence } from "../../src/alert/silence-input.ts";
import { type Bench, createBench, fatesOf, metricOf } from "../support/alert-bench.ts";
import { anomalyOf } from "../support/anomalies.ts";
import { FakeClock, settle } from "../support/fake-clock.ts";
import { Lives } from "../support/outbox-bench.ts";

function silence(bench: Bench, matchers: Record<string, unknown>, duration = "1h"): string {
  const asked = { matchers, reason: "test", author: "me", duration };
  const result = readSilence(asked, bench.clock.now());
  if ("problem" in result) throw new Error(result.problem);
  const added = bench.router.silences.add(result.silence);
  bench.router.hush();
  return added?.id ?? "";
}

const active = (bench: Bench, kind: string) =>
  metricOf(bench.registry, "nam_silences_active", { kind });

describe("a silence", () => {
  it("hides what matches, is counted, and ends", async () => {
    const bench = createBench();
    silence(bench, { source: "10.0.0.5" });
    bench.accept(
      anomalyOf(),
      anomalyOf({ id: "b", dedup_key: "b", entity: { kind: "source", key: "x" } }),
    );
    await settle();
    expect(bench.channel.told).toEqual(["b open"]);
    expect(await fatesOf(bench)).toMatchObject({ silenced: 1, told: 1 });
    expect(await active(bench, "silence")).toBe(1);
    await bench.clock.advance(3_600_000);
    expect(await active(bench, "silence")).toBe(0);
    // It goes on: the readers hear of it now.
    bench.accept(anomalyOf({ state: "update" }));
    await bench.clock.advance(2_000);
    expect(bench.channel.delivered.at(-1)).toMatchObject({ state: "open" });
  });

  it("drops what waits already", async () => {
    const bench = createBench({ settings: { group_wait_seconds: 60 } });
    bench.accept(anomalyOf({ severity: "warning" }));
    silence(bench, { detector: "port_*" });
    await bench.clock.advance(120_000);
    expect(bench.channel.attempts).toEqual([]);
    expect(await fatesOf(bench)).toMatchObject({ silenced: 1, sum: 1 });
  });

  it("does not keep the end of what was told from its readers", async () => {
    const bench = createBench();
    bench.accept(anomalyOf());
    await settle();
    silence(bench, { detector: "*" });
    bench.accept(anomalyOf({ state: "update" }));
    await bench.clock.advance(10_000);
    bench.accept(anomalyOf({ state: "resolved" }));
    await bench.clock.advance(10_000);
    expect(bench.channel.delivered.map(({ state }) => state)).toEqual(["open", "resolved"]);
  });

  it("can be removed, and survives a restart", async () => {
    const lives = new Lives();
    const first = await lives.begin();
    const [kept, removed] = [silence(first, { source: "a" }), silence(first, { source: "b" })];
    expect(first.router.silences.remove(removed)).toBe(true);
    expect(first.router.silences.remove("nothing")).toBe(false);
    await first.router.safe();
    const second = await lives.begin();
    expect(second.router.silences.list().map(({ id }) => id)).toEqual([kept]);
  });
});

describe("maintenance", () => {
  it("comes back every week, hides messages and shows in the metrics", async () => {
    const maintenance = [
      {
        name: "backup",
        reason: "moves everything",
        windows: [{ days: ["thu"], from: "12:00", to: "13:00" }],
        match: { detector: "volume_*" },
      },
    ];
    const settings = alertSettings.parse({ maintenance });
    const bench = createBench({ settings, clock: new FakeClock(Date.UTC(2026, 0, 15, 12)) });
    bench.accept(
      anomalyOf({ id: "v", dedup_key: "v", detector: "volume_spike" }),
      anomalyOf({ id: "s", dedup_key: "s" }),
    );
    await settle();
    expect(bench.channel.told).toEqual(["s open"]);
    expect(await fatesOf(bench)).toMatchObject({ maintenance: 1, told: 1 });
    expect(await active(bench, "maintenance")).toBe(1);
    await bench.clock.advance(3_600_000);
    expect(await active(bench, "maintenance")).toBe(0);
  });
});

describe("what an operator asks for", () => {
  const ask = (changes: Record<string, unknown>) =>
    readSilence(
      { matchers: { source: "a" }, reason: "r", author: "a", duration: "1h", ...changes },
      1_000_000,
    );

  it("is taken with an end or a duration", () => {
    expect(ask({})).toMatchObject({ silence: { starts: 1_000, ends: 4_600 } });
    expect(ask({ duration: undefined, ends: 2_000 })).toMatchObject({ silence: { ends: 2_000 } });
  });

  it.each([
    [{ matchers: {} }, "at least one field"],
    [{ matchers: { sorce: "a" } }, 'did you mean "source"'],
    [{ reason: " " }, "reason"],
    [{ author: undefined }, "author"],
    [{ duration: undefined }, "must not be forgotten"],
    [{ ends: 5_000 }, "one of ends and duration"],
    [{ duration: "soon" }, "90m"],
    [{ duration: "900d" }, "more than a year"],
    [{ duration: undefined, ends: 10 }, "not in the future"],
  ])("is refused in words: %j", (changes, words) => {
    expect(ask(changes)).toMatchObject({ problem: expect.stringContaining(words) });
  });
});

describe("matching", () => {
  it("needs every field that is given", () => {
    expect(matches({ source: "10.0.0.5", detector: "port_scan" }, anomalyOf())).toBe(true);
    expect(matches({ source: "10.0.0.5", detector: "arp_*" }, anomalyOf())).toBe(false);
    expect(matches({ domain: "*" }, anomalyOf())).toBe(false);
  });

  it("takes * for any text, as a regular expression would", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "."), maxLength: 8 });
    const patterns = fc.string({ unit: fc.constantFrom("a", "b", ".", "*"), maxLength: 8 });
    fc.assert(
      fc.property(letters, patterns, (text, wanted) => {
        const source = wanted.replaceAll(".", "\\.").replaceAll("*", ".*");
        expect(isLike(text, wanted)).toBe(new RegExp(`^${source}$`).test(text));
      }),
      { numRuns: 2_000 },
    );
  });
});
