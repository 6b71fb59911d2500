// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import type { Delivery } from "../../src/alert/alert.ts";
import { alertSettings } from "../../src/alert/all.ts";
import {
  channelOf,
  createBench,
  DOWN,
  fatesOf,
  OK,
  ScriptedChannel,
  SLACK_RATE,
} from "../support/alert-bench.ts";
import { anomalyOf } from "../support/anomalies.ts";
import { settle } from "../support/fake-clock.ts";

const GONE: Delivery = { outcome: "disabled", reason: "gone", detail: "404 (no_service)" };
const REFUSED: Delivery = { outcome: "rejected", reason: "rejected", detail: "400" };

function limited(retryAfterMs?: number): Delivery {
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  return { outcome: "retry", reason: "rate_limited", detail: "429", ...wait };
}

function gaps(times: readonly number[]): number[] {
  return times.slice(1).map((time, index) => time - (times[index] ?? 0));
}

describe("retries", () => {
  it("back off exponentially, with the jitter that was drawn", async () => {
    const { accept, channel, clock } = createBench({ random: () => 0.75 });
    channel.script.push(DOWN, DOWN, DOWN, DOWN);
    accept(anomalyOf());
    await clock.advance(60_000);
    expect(gaps(channel.times)).toEqual([750, 1_500, 3_000, 6_000]);
    expect(channel.delivered).toHaveLength(1);
  });

  it("never wait longer than five minutes, and draw from the whole range", async () => {
    const { accept, channel, clock } = createBench({ random: () => 0.999_999 });
    channel.otherwise = () => limited();
    accept(anomalyOf());
    await clock.advance(7_200_000);
    const waits = gaps(channel.times);
    expect(waits[0]).toBeLessThanOrEqual(1_000);
    expect(Math.max(...waits)).toBeGreaterThan(299_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(300_000);
  });

  it("keep the id of a message that did not change", async () => {
    const { accept, channel, clock } = createBench();
    channel.script.push(DOWN, DOWN);
    accept(anomalyOf());
    await clock.advance(10_000);
    expect(new Set(channel.attempts.map(({ alert }) => alert.id)).size).toBe(1);
    expect(channel.attempts.at(-1)?.alert.sentMs).toBeGreaterThan(
      channel.attempts[0]?.alert.sentMs ?? 0,
    );
    expect(channel.attempts.at(-1)?.alert.createdMs).toBe(channel.attempts[0]?.alert.createdMs);
  });

  it("obey Retry-After where it is longer than the back-off, and the back-off where it is not", async () => {
    const { accept, channel, clock } = createBench();
    channel.script.push(limited(90_000), limited(10));
    accept(anomalyOf());
    await clock.advance(200_000);
    expect(gaps(channel.times)).toEqual([90_000, 1_000]);
  });

  it("do not hold up something new and critical, except for Retry-After", async () => {
    const { accept, channel, clock } = createBench({ random: () => 0.999 });
    channel.script.push(DOWN, DOWN, DOWN, limited(30_000));
    accept(anomalyOf());
    await clock.advance(3_000);
    expect(channel.attempts).toHaveLength(3);
    accept(anomalyOf({ id: "new", dedup_key: "new" }));
    expect(channel.attempts).toHaveLength(4);
    await settle();
    accept(anomalyOf({ id: "newer", dedup_key: "newer" }));
    await clock.advance(29_999);
    expect(channel.attempts).toHaveLength(4);
    await clock.advance(1);
    expect(channel.told.sort()).toEqual(
      ["new open", "newer open", `${anomalyOf().id} open`].sort(),
    );
  });

  it("leave a vendor that limits the rate alone, however urgent it is", async () => {
    const { accept, channel, clock } = createBench({ random: () => 0.999 });
    channel.otherwise = () => limited();
    for (let second = 0; second < 60; second++) {
      accept(anomalyOf({ id: `i${second}`, dedup_key: `k${second}` }));
      await clock.advance(1_000);
    }
    expect(channel.attempts.length).toBeLessThanOrEqual(6);
  });

  it("respect the silence a vendor asks for after a success", async () => {
    const { accept, channel, clock } = createBench();
    channel.script.push({ outcome: "delivered", detail: "200", pauseMs: 7_000 });
    accept(anomalyOf());
    await settle();
    accept(anomalyOf({ id: "b", dedup_key: "b" }));
    await clock.advance(10_000);
    expect(channel.times).toEqual([0, 7_000]);
  });

  it("survive a notifier that throws or never answers", async () => {
    const bench = createBench();
    bench.channel.script.push(new Error("https://hooks.example/secret"), new Promise(() => {}));
    bench.accept(anomalyOf());
    await bench.clock.advance(120_000);
    expect(bench.channel.delivered).toHaveLength(1);
    expect(await bench.metric("nam_notifications_total", { outcome: "retried" })).toBe(2);
    expect(bench.lines.join()).not.toContain("secret");
  });
});

describe("the rate a vendor allows", () => {
  it("is never exceeded, whatever comes", async () => {
    const { accept, channel, clock } = createBench({
      channel: { definition: { type: "slack", rate: SLACK_RATE } },
      settings: { max_messages: 10_000 },
    });
    for (let index = 0; index < 200; index++) {
      accept(anomalyOf({ id: `i${index}`, dedup_key: `k${index}`, detector: `d${index % 7}` }));
      await clock.advance(50);
    }
    await clock.advance(60_000);
    expect(Math.min(...gaps(channel.times))).toBeGreaterThanOrEqual(999);
    const told = channel.delivered.reduce(
      (sum, { anomalies, more }) => sum + anomalies.length + more,
      0,
    );
    expect(told).toBe(200);
  });
});

describe("the circuit", () => {
  it("opens after five failures and probes after 30 s, 60 s, 120 s … 10 minutes", async () => {
    const bench = createBench({ random: () => 0 });
    bench.channel.otherwise = () => DOWN;
    bench.accept(anomalyOf());
    await bench.clock.advance(0);
    expect(bench.channel.attempts).toHaveLength(5);
    expect(await bench.metric("nam_channel_circuit_open")).toBe(1);
    await bench.clock.advance(3_600_000);
    expect(gaps(bench.channel.times).slice(4, 10)).toEqual([
      30_000, 60_000, 120_000, 240_000, 480_000, 600_000,
    ]);
    bench.channel.otherwise = () => OK;
    await bench.clock.advance(600_000);
    expect(bench.channel.delivered).toHaveLength(1);
    expect(await bench.metric("nam_channel_circuit_open")).toBe(0);
    expect(await bench.metric("nam_outbox_depth")).toBe(0);
  });

  it("holds back even what is new and critical", async () => {
    const { accept, channel, clock } = createBench({ random: () => 0 });
    channel.otherwise = () => DOWN;
    accept(anomalyOf());
    await clock.advance(1_000);
    accept(anomalyOf({ id: "b", dedup_key: "b" }));
    await clock.advance(1_000);
    expect(channel.attempts).toHaveLength(5);
  });

  it("does not open for rate limits", async () => {
    const bench = createBench({ random: () => 0 });
    bench.channel.otherwise = () => limited(1_000);
    bench.accept(anomalyOf());
    await bench.clock.advance(20_000);
    expect(bench.channel.attempts.length).toBeGreaterThan(15);
    expect(await bench.metric("nam_channel_circuit_open")).toBe(0);
    expect(
      await bench.metric("nam_notifications_total", { outcome: "rate_limited" }),
    ).toBeGreaterThan(15);
  });

  it("tells the log once that it fails, once that it opened and once that it works again", async () => {
    const bench = createBench({ random: () => 0 });
    for (let index = 0; index < 8; index++) bench.channel.script.push(DOWN);
    bench.accept(anomalyOf());
    await bench.clock.advance(3_600_000);
    const messages = bench.lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
    expect(messages).toEqual([
      "a message is tried again later",
      "the channel keeps failing and is left alone for a while",
      "the channel works again",
    ]);
  });
});

describe("endings", () => {
  it("a refused message is a dead letter, and the next one goes out", async () => {
    const bench = createBench();
    bench.channel.script.push(REFUSED);
    bench.accept(anomalyOf());
    await settle();
    bench.accept(anomalyOf({ id: "b", dedup_key: "b" }));
    await settle();
    expect(bench.channel.told).toEqual(["b open"]);
    expect(await bench.metric("nam_dead_letters_total")).toBe(1);
    expect(await bench.metric("nam_notifications_total", { outcome: "failed" })).toBe(1);
  });

  it("a channel that is gone is left alone until it is configured anew, and nothing is lost", async () => {
    const bench = createBench();
    bench.channel.script.push(GONE);
    bench.accept(anomalyOf());
    await settle();
    bench.accept(anomalyOf({ id: "b", dedup_key: "b" }));
    await bench.clock.advance(3_600_000);
    expect(bench.channel.attempts).toHaveLength(1);
    expect(await bench.metric("nam_channel_circuit_open")).toBe(1);
    expect(await bench.metric("nam_outbox_depth")).toBe(2);
    expect(await bench.metric("nam_outbox_oldest_age_seconds")).toBe(3_600);
    expect(bench.router.status()).toMatchObject([
      { name: "chat", waiting: 2, suspended: true, trouble: "404 (no_service)" },
    ]);

    const repaired = new ScriptedChannel(bench.clock);
    bench.router.reconfigure([channelOf(repaired)], alertSettings.parse({}));
    await settle();
    expect(repaired.told.sort()).toEqual(["b open", `${anomalyOf().id} open`].sort());
    expect(bench.channel.closed).toBe(1);
    expect(await bench.metric("nam_channel_circuit_open")).toBe(0);
  });

  it("what could not be told for 24 hours is given up", async () => {
    const bench = createBench();
    bench.channel.otherwise = () => DOWN;
    bench.accept(anomalyOf());
    await bench.clock.advance(86_400_000);
    expect(await bench.metric("nam_outbox_depth")).toBe(1);
    await bench.clock.advance(700_000);
    expect(await bench.metric("nam_outbox_depth")).toBe(0);
    expect(await bench.metric("nam_dead_letters_total")).toBe(1);
    const { length } = bench.channel.attempts;
    await bench.clock.advance(3_600_000);
    expect(bench.channel.attempts).toHaveLength(length);
    expect(bench.clock.pending).toBe(0);
  });

  it("a full queue drops the oldest of the least severe, and counts it", async () => {
    const bench = createBench({
      settings: { queue_limit: 10 },
      channel: { minimumSeverity: "info" },
    });
    bench.channel.otherwise = () => GONE;
    bench.accept(anomalyOf({ id: "first" }));
    await settle();
    for (let index = 0; index < 6; index++) {
      bench.accept(anomalyOf({ id: `info${index}`, severity: "info" }));
      bench.accept(anomalyOf({ id: `critical${index}` }));
    }
    expect(await fatesOf(bench)).toMatchObject({ dropped: 3, sum: 3 });
    const repaired = new ScriptedChannel(bench.clock);
    bench.router.reconfigure([channelOf(repaired, { minimumSeverity: "info" })], {
      ...alertSettings.parse({}),
      queue_limit: 10,
    });
    await settle();
    expect(repaired.told).toHaveLength(10);
    expect(repaired.told.filter((id) => id.startsWith("info"))).toEqual([
      "info3 open",
      "info4 open",
      "info5 open",
    ]);
  });

  it("a channel that is no longer configured takes its levels with it", async () => {
    const bench = createBench();
    bench.channel.otherwise = () => DOWN;
    bench.accept(anomalyOf());
    await settle();
    bench.router.reconfigure([], alertSettings.parse({}));
    await settle();
    await expect(bench.metric("nam_outbox_depth")).rejects.toThrow("no series");
    expect((await fatesOf(bench)).lost).toBe(1);
    expect(bench.channel.closed).toBe(1);
    expect(bench.clock.pending).toBe(0);
  });
});

describe("stopping", () => {
  it("sends what waits for its group, then closes", async () => {
    const { accept, channel, clock, router } = createBench();
    accept(anomalyOf({ id: "a", severity: "warning" }));
    await router.stop(5_000);
    expect(channel.told).toEqual(["a open"]);
    expect(channel.closed).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it("keeps to the vendor's rate while it empties the queue", async () => {
    const { accept, channel, clock, router } = createBench({
      channel: { definition: { type: "slack", rate: SLACK_RATE } },
    });
    accept(anomalyOf());
    await settle();
    accept(anomalyOf({ id: "b", severity: "warning" }));
    const stopped = router.stop(5_000);
    await clock.advance(1_000);
    await stopped;
    expect(channel.times).toEqual([0, 1_000]);
  });

  it("ends in time though the channel hangs, and says what was lost", async () => {
    const { accept, channel, clock, router, lines } = createBench();
    channel.otherwise = () => new Promise(() => {});
    accept(anomalyOf());
    const stopped = router.stop(5_000);
    await clock.advance(5_000);
    await stopped;
    expect(lines.join()).toContain('"lost":1');
    expect(clock.pending).toBe(0);
  });

  it("does not wait for a channel that is out of order", async () => {
    const { accept, channel, router } = createBench();
    channel.script.push(GONE);
    accept(anomalyOf());
    await settle();
    await router.stop(3_600_000);
    expect(channel.attempts).toHaveLength(1);
  });

  it("takes nothing afterwards", async () => {
    const { accept, channel, router } = createBench();
    await router.stop(1_000);
    accept(anomalyOf());
    await settle();
    expect(channel.attempts).toEqual([]);
  });
});
