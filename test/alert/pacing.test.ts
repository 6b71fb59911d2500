// SPDX-License-Identifier: AGPL-3.0-or-later
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alertSettings } from "../../src/alert/all.ts";
import { backoffMs } from "../../src/alert/backoff.ts";
import { Queue } from "../../src/alert/queue.ts";
import { sendTest } from "../../src/alert/test-alert.ts";
import { TokenBucket } from "../../src/alert/token-bucket.ts";
import { SEVERITIES } from "../../src/detect/detector.ts";
import { systemClock } from "../../src/util/clock.ts";
import { OK, ScriptedChannel } from "../support/alert-bench.ts";
import { anomalyOf } from "../support/anomalies.ts";
import { FakeClock } from "../support/fake-clock.ts";

describe("TokenBucket", () => {
  it("lets a burst through, then its rate", () => {
    const bucket = new TokenBucket(5, 2.5, 0);
    for (let index = 0; index < 5; index++) {
      expect(bucket.readyMs(0)).toBe(0);
      bucket.take(0);
    }
    expect(bucket.readyMs(0)).toBe(400);
    expect(bucket.readyMs(300)).toBeCloseTo(400);
    expect(bucket.level(1_000_000)).toBe(5);
  });

  it("never gives more than capacity plus rate times time", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 200 }), (waits) => {
        const bucket = new TokenBucket(3, 1, 0);
        let nowMs = 0;
        let taken = 0;
        for (const wait of waits) {
          nowMs += wait;
          if (bucket.readyMs(nowMs) > nowMs) continue;
          bucket.take(nowMs);
          taken++;
        }
        expect(taken).toBeLessThanOrEqual(3 + nowMs / 1_000 + 1e-6);
      }),
    );
  });
});

describe("backoffMs", () => {
  it("is rand(0, min(300 s, 1 s · 2^n))", () => {
    const top = [0, 1, 2, 8, 9, 50].map((failures) => backoffMs(failures, () => 1));
    expect(top).toEqual([1_000, 2_000, 4_000, 256_000, 300_000, 300_000]);
    expect(backoffMs(9, () => 0)).toBe(0);
  });
});

describe("Queue", () => {
  it("holds at most one entry an anomaly and never more than its limit", () => {
    const entry = fc.record({ id: fc.nat(30), severity: fc.constantFrom(...SEVERITIES) });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 200 }), (puts) => {
        const queue = new Queue(10);
        for (const { id, severity } of puts) {
          const dropped = queue.put({
            anomaly: anomalyOf({ id: `${id}` }),
            severity,
            acceptedMs: 0,
            dueMs: 0,
            heldUntilMs: 0,
          });
          const kept = queue.entries().map((kept) => SEVERITIES.indexOf(kept.severity));
          if (dropped)
            expect(SEVERITIES.indexOf(dropped.severity)).toBeLessThanOrEqual(Math.min(...kept));
        }
        const ids = queue.entries().map(({ anomaly }) => anomaly.id);
        expect(new Set(ids).size).toBe(ids.length);
        expect(queue.size).toBe(ids.length);
        expect(queue.size).toBeLessThanOrEqual(10);
      }),
    );
  });
});

describe("sendTest", () => {
  it("sends one message that is marked as a test and gives back the answer", async () => {
    const clock = new FakeClock();
    const channel = new ScriptedChannel(clock);
    expect(await sendTest(channel, { agent: "host-a", clock })).toEqual(OK);
    expect(channel.delivered).toMatchObject([{ test: true, anomalies: [], agent: "host-a" }]);
    expect(clock.pending).toBe(0);
  });
});

describe("alertSettings", () => {
  it("has a default for everything and refuses what it does not know", () => {
    expect(alertSettings.parse(undefined)).toMatchObject({
      group_wait_seconds: 1,
      max_messages: 10,
    });
    expect(alertSettings.safeParse({ group_wait: 1 }).success).toBe(false);
  });
});

describe("systemClock", () => {
  it("calls back, can be cancelled, and takes waits beyond what a timer can hold", async () => {
    let called = 0;
    systemClock.after(1, () => called++)();
    systemClock.after(2 ** 40, () => called++)();
    await new Promise<void>((resolve) => systemClock.after(5, resolve, true));
    expect(called).toBe(0);
  });
});
