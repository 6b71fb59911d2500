// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { createBench, DOWN, fatesOf } from "../support/alert-bench.ts";
import { anomalyOf } from "../support/anomalies.ts";

describe("what comes and goes", () => {
  it("stays one incident from the third opening on, whose end is told once it stays away", async () => {
    const bench = createBench({ settings: { flap_openings: 3, flap_window_seconds: 3_600 } });
    for (let round = 0; round < 10; round++) {
      bench.accept(anomalyOf({ id: `i${round}`, dedup_key: "k" }));
      await bench.clock.advance(120_000);
      bench.accept(anomalyOf({ id: `i${round}`, dedup_key: "k", state: "resolved" }));
      await bench.clock.advance(120_000);
    }
    expect(bench.channel.told).toEqual([
      "i0 open",
      "i0 resolved",
      "i1 open",
      "i1 resolved",
      "i2 open",
    ]);
    expect(bench.channel.delivered.at(-1)?.anomalies[0]?.evidence[0]).toMatch(
      /^it came and went 3 times in \d+ min$/,
    );
    await bench.clock.advance(3_600_000);
    expect(bench.channel.told.slice(5)).toEqual(["i2 resolved"]);
    const fates = await fatesOf(bench);
    expect(fates.sum).toBe(20);
    expect(await bench.metric("nam_outbox_depth")).toBe(0);
  });

  it("is told to a channel that takes every event as it is", async () => {
    const definition = { type: "log", rate: { perSecond: 1_000, burst: 1_000 }, everyEvent: true };
    const bench = createBench({ channel: { definition } });
    for (let round = 0; round < 5; round++) {
      bench.accept(anomalyOf({ id: `i${round}`, dedup_key: "k" }));
      bench.accept(anomalyOf({ id: `i${round}`, dedup_key: "k", state: "resolved" }));
      await bench.clock.advance(1_000);
    }
    expect(bench.channel.told.filter((line) => line.endsWith("resolved"))).toHaveLength(5);
  });
});

describe("signs of life", () => {
  it("come at equal distances, beside the alerts", async () => {
    const { accept, channel, clock } = createBench({ channel: { heartbeatMs: 60_000 } });
    await clock.advance(1_000);
    accept(anomalyOf());
    await clock.advance(179_000);
    const beats = channel.attempts.filter(({ alert }) => alert.heartbeat);
    expect(beats.map(({ atMs }) => atMs)).toEqual([0, 60_000, 120_000, 180_000]);
    expect(beats.every(({ alert }) => alert.anomalies.length === 0)).toBe(true);
    expect(channel.told).toHaveLength(1);
  });

  it("are tried again where the channel fails, and never come where none are wanted", async () => {
    const { channel, clock } = createBench({ channel: { heartbeatMs: 600_000 } });
    channel.script.push(DOWN, DOWN);
    await clock.advance(10_000);
    expect(channel.delivered).toHaveLength(1);
    const silent = createBench();
    await silent.clock.advance(86_400_000);
    expect(silent.channel.attempts).toEqual([]);
  });
});
