// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { createBench, DOWN, fatesOf, OK } from "../support/alert-bench.ts";
import { anomalyOf } from "../support/anomalies.ts";
import { settle } from "../support/fake-clock.ts";

const source = (name: string) => ({ kind: "source", key: name, source: name }) as const;

/** A warning that is no news: its detector was told before. */
function warning(id: string, changes: Parameters<typeof anomalyOf>[0] = {}) {
  return anomalyOf({ id, severity: "warning", entity: source(id), ...changes });
}

describe("grouping", () => {
  it("sends a critical anomaly in the same tick", async () => {
    const { accept, channel } = createBench();
    accept(anomalyOf());
    expect(channel.times).toEqual([0]);
    await settle();
    expect(channel.delivered).toMatchObject([
      { state: "open", severity: "critical", more: 0, agent: "host-a", test: false },
    ]);
  });

  it("lets others wait for their group, one message a detector", async () => {
    const { accept, channel, clock } = createBench();
    accept(warning("a"), warning("b"), warning("c", { detector: "syn_flood" }));
    await clock.advance(500);
    accept(warning("d"));
    await clock.advance(499);
    expect(channel.attempts).toEqual([]);
    await clock.advance(1);
    expect(channel.told).toEqual(["a open", "b open", "d open", "c open"]);
    expect(channel.delivered.map(({ anomalies }) => anomalies.length)).toEqual([3, 1]);
  });

  it("takes what waits along with a critical one of the same detector", async () => {
    const { accept, channel } = createBench();
    accept(warning("a"), anomalyOf({ id: "b" }));
    await settle();
    expect(channel.told).toEqual(["b open", "a open"]);
    expect(channel.delivered).toHaveLength(1);
  });

  it("names ten and counts the rest", async () => {
    const bench = createBench();
    bench.accept(...Array.from({ length: 27 }, (_, index) => warning(`w${index}`)));
    await bench.clock.advance(1_000);
    expect(bench.channel.delivered).toMatchObject([{ more: 17 }]);
    expect(bench.channel.delivered[0]?.anomalies).toHaveLength(10);
    expect(await fatesOf(bench)).toMatchObject({ told: 10, counted: 17, sum: 27 });
  });

  it("puts the most severe first", async () => {
    const { accept, channel } = createBench({ channel: { minimumSeverity: "info" } });
    accept(warning("i", { severity: "info" }), warning("w"), anomalyOf({ id: "c" }));
    await settle();
    expect(channel.told).toEqual(["c open", "w open", "i open"]);
    expect(channel.delivered[0]?.severity).toBe("critical");
  });
});

describe("life of an anomaly on a channel", () => {
  it("is told as open, update and resolved, in this order", async () => {
    const { accept, channel, clock } = createBench();
    accept(anomalyOf());
    await clock.advance(300_000);
    accept(anomalyOf({ state: "update", count: 300 }));
    await clock.advance(60_000);
    accept(anomalyOf({ state: "resolved" }));
    await clock.advance(1_000);
    expect(channel.delivered.map(({ state }) => state)).toEqual(["open", "update", "resolved"]);
  });

  it("is told again at once when it gets more severe, but not when its opening is repeated", async () => {
    const bench = createBench();
    bench.accept(warning("a"));
    await bench.clock.advance(60_000);
    bench.accept(warning("a"));
    await bench.clock.advance(60_000);
    expect(bench.channel.delivered).toHaveLength(1);
    bench.accept(anomalyOf({ id: "a", state: "update", entity: source("a") }));
    await settle();
    expect(bench.channel.told).toEqual(["a open", "a update"]);
    expect(await fatesOf(bench)).toMatchObject({ told: 2, superseded: 1 });
  });

  it("is not told below the minimum severity, and opens once it reaches it", async () => {
    const { accept, channel, clock } = createBench({ channel: { minimumSeverity: "critical" } });
    accept(warning("a"));
    await clock.advance(10_000);
    accept(warning("b"), anomalyOf({ id: "a", state: "update" }));
    await clock.advance(10_000);
    expect(channel.delivered).toMatchObject([{ state: "open", anomalies: [{ id: "a" }] }]);
  });

  it("is not resolved where it was never told", async () => {
    const bench = createBench({ channel: { minimumSeverity: "critical" } });
    bench.accept(warning("a"));
    await bench.clock.advance(5_000);
    bench.accept(anomalyOf({ id: "a", state: "resolved" }));
    await bench.clock.advance(5_000);
    expect(bench.channel.attempts).toEqual([]);
    expect(await fatesOf(bench)).toMatchObject({ filtered: 2, sum: 2 });
  });

  it("is resolved silently where send_resolved is off", async () => {
    const { accept, channel, clock } = createBench({ channel: { sendResolved: false } });
    accept(anomalyOf());
    await settle();
    accept(anomalyOf({ state: "resolved" }));
    await clock.advance(5_000);
    expect(channel.told).toEqual([`${anomalyOf().id} open`]);
  });

  it("is resolved silently where it was only counted, and opens if it gets more severe", async () => {
    const { accept, channel, clock } = createBench();
    const crowd = Array.from({ length: 12 }, (_, index) => warning(`w${index}`));
    accept(...crowd);
    await clock.advance(1_000);
    accept(
      warning("w11", { state: "resolved" }),
      warning("w10", { severity: "critical", state: "update" }),
    );
    await clock.advance(5_000);
    expect(channel.delivered[1]).toMatchObject({ state: "open", anomalies: [{ id: "w10" }] });
    expect(channel.delivered).toHaveLength(2);
  });

  it("is told once, in one message, when it ends before its opening could be delivered", async () => {
    const bench = createBench();
    bench.channel.script.push(DOWN, DOWN);
    bench.accept(anomalyOf());
    await settle();
    bench.accept(anomalyOf({ state: "resolved" }));
    await bench.clock.advance(60_000);
    expect(bench.channel.delivered).toMatchObject([
      { state: "open", anomalies: [{ state: "resolved" }] },
    ]);
    expect(await fatesOf(bench)).toMatchObject({ told: 1, superseded: 1, sum: 2 });
  });

  it("keeps its order when it ends while its opening is under way", async () => {
    const { accept, channel, clock } = createBench();
    let arrive = (_: typeof OK): void => {};
    channel.script.push(new Promise((resolve) => (arrive = resolve)));
    accept(anomalyOf());
    accept(anomalyOf({ state: "resolved" }));
    await clock.advance(20_000);
    expect(channel.attempts).toHaveLength(1);
    arrive(OK);
    await clock.advance(20_000);
    expect(channel.delivered.map(({ state }) => state)).toEqual(["open", "resolved"]);
  });

  it("is told in its newest state when the attempt under way fails", async () => {
    const bench = createBench();
    let arrive = (_: typeof DOWN): void => {};
    bench.channel.script.push(new Promise((resolve) => (arrive = resolve)));
    bench.accept(anomalyOf());
    bench.accept(anomalyOf({ state: "update", count: 99 }));
    arrive(DOWN);
    await bench.clock.advance(20_000);
    expect(bench.channel.delivered).toMatchObject([{ state: "open", anomalies: [{ count: 99 }] }]);
    expect(await fatesOf(bench)).toMatchObject({ told: 1, superseded: 1, sum: 2 });
  });

  it("is not resolved when the message that opened it was refused meanwhile", async () => {
    const bench = createBench();
    let arrive = (_: { outcome: "rejected"; reason: "rejected"; detail: string }): void => {};
    bench.channel.script.push(new Promise((resolve) => (arrive = resolve)));
    bench.accept(anomalyOf());
    bench.accept(anomalyOf({ state: "resolved" }));
    arrive({ outcome: "rejected", reason: "rejected", detail: "400" });
    await bench.clock.advance(60_000);
    expect(bench.channel.attempts).toHaveLength(1);
    expect(await fatesOf(bench)).toMatchObject({ lost: 1, filtered: 1, sum: 2 });
  });
});

describe("channels", () => {
  it("that take every event get each at once and by name", async () => {
    const definition = { type: "log", rate: { perSecond: 1_000, burst: 1_000 }, everyEvent: true };
    const bench = createBench({ channel: { definition, minimumSeverity: "info" } });
    for (let index = 0; index < 500; index++) {
      bench.accept(warning(`w${index}`, { severity: "info" }));
      await bench.clock.advance(10);
    }
    bench.accept(warning("w1", { severity: "info", state: "update" }));
    await settle();
    expect(bench.channel.told).toHaveLength(501);
    expect(bench.channel.delivered.every(({ more, digest }) => more === 0 && !digest)).toBe(true);
  });

  it("have all their series at zero before the first event", async () => {
    const bench = createBench();
    for (const outcome of ["delivered", "retried", "rate_limited", "failed"]) {
      expect(await bench.metric("nam_notifications_total", { outcome })).toBe(0);
    }
    expect((await fatesOf(bench)).sum).toBe(0);
    for (const name of [
      "nam_notification_seconds_count",
      "nam_outbox_depth",
      "nam_outbox_oldest_age_seconds",
      "nam_channel_circuit_open",
      "nam_dead_letters_total",
    ]) {
      expect(await bench.metric(name), name).toBe(0);
    }
  });

  it("measure the wait from the event to its delivery", async () => {
    const bench = createBench();
    bench.accept(warning("a"));
    await bench.clock.advance(1_000);
    expect(await bench.metric("nam_notification_seconds_sum")).toBe(1);
    expect(await bench.metric("nam_notification_seconds_count")).toBe(1);
  });
});
