// SPDX-License-Identifier: AGPL-3.0-or-later
import { readdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { DAMAGED_FILE, Database, OUTBOX_FILE } from "../../src/alert/outbox/database.ts";
import { DOWN, fatesOf, metricOf, SLACK_RATE } from "../support/alert-bench.ts";
import { anomalyOf } from "../support/anomalies.ts";
import { settle } from "../support/fake-clock.ts";
import { LIMIT_BYTES, Lives, temporaryFolder } from "../support/outbox-bench.ts";

const ID = anomalyOf().id;

describe("what was accepted", () => {
  it("is on the disk before the first attempt", async () => {
    const lives = new Lives();
    const bench = await lives.begin();
    let seen: string[] | undefined;
    bench.channel.otherwise = async () => {
      seen = await lives.onDisk("waiting");
      return { outcome: "delivered", detail: "200" };
    };
    bench.accept(anomalyOf());
    expect(bench.channel.attempts).toEqual([]);
    await vi.waitFor(() => expect(bench.channel.delivered).toHaveLength(1));
    expect(seen).toEqual([`waiting chat ${ID}`]);
    await bench.router.safe();
    expect(await lives.onDisk("waiting")).toEqual([]);
    expect(await lives.onDisk("told")).toEqual([`told chat ${ID}`]);
  });

  it("is told by the next run where this one ends first", async () => {
    const lives = new Lives();
    const first = await lives.begin();
    first.channel.otherwise = () => DOWN;
    first.accept(anomalyOf());
    await first.router.safe();
    // The first run just ends here, as by kill -9.
    const second = await lives.begin();
    await lives.clock.advance(1_000);
    await vi.waitFor(() => expect(second.channel.told).toEqual([`${ID} open`]));
  });

  it("is not told again by the next run, and its end is told there", async () => {
    const lives = new Lives();
    const first = await lives.begin();
    first.accept(anomalyOf());
    await vi.waitFor(() => expect(first.channel.told).toEqual([`${ID} open`]));
    await first.router.safe();

    const second = await lives.begin();
    expect(second.router.openIncidents).toMatchObject([{ id: ID, state: "open" }]);
    second.accept(anomalyOf());
    second.accept(anomalyOf({ state: "resolved" }));
    await lives.clock.advance(2_000);
    await vi.waitFor(() => expect(second.channel.told).toEqual([`${ID} resolved`]));
    await second.router.safe();
    expect(await lives.onDisk("told")).toEqual([]);
    expect(await lives.onDisk("incident")).toEqual([]);
  });

  it("says how late it is when the next run tells it", async () => {
    const lives = new Lives();
    const first = await lives.begin();
    first.channel.otherwise = () => DOWN;
    first.accept(anomalyOf());
    await first.router.safe();
    await lives.clock.advance(1_200_000);
    const second = await lives.begin();
    await lives.clock.advance(1_000);
    await vi.waitFor(() => expect(second.channel.delivered).toHaveLength(1));
    const [alert] = second.channel.delivered;
    expect((alert?.sentMs ?? 0) - (alert?.createdMs ?? 0)).toBeGreaterThanOrEqual(1_200_000);
  });

  it("is not lost by an orderly end while the channel is down", async () => {
    const lives = new Lives();
    const bench = await lives.begin({ random: () => 0 });
    bench.channel.otherwise = () => DOWN;
    bench.accept(anomalyOf());
    await bench.router.safe();
    const stopped = bench.router.stop(5_000);
    await lives.clock.advance(5_000);
    await stopped;
    expect((await fatesOf(bench)).lost).toBe(0);
    expect(await lives.onDisk("waiting")).toEqual([`waiting chat ${ID}`]);
    expect(await lives.onDisk("owner")).toEqual([]);
  });

  it("is written in a few batches, not one by one", async () => {
    const lives = new Lives();
    const bench = await lives.begin({ settings: { group_wait_seconds: 300 } });
    const observer = await Database.open(lives.directory, LIMIT_BYTES);
    await bench.router.safe();
    // Every look that sees a new version saw at least one write; a look after every write could see no more than that.
    const versions = new Set([observer.foreignVersion()]);
    const looking = setInterval(() => versions.add(observer.foreignVersion()), 1);
    bench.accept(
      ...Array.from({ length: 1_000 }, (_, index) =>
        anomalyOf({ id: `i${index}`, dedup_key: `k${index}`, severity: "warning" }),
      ),
    );
    await bench.router.safe();
    clearInterval(looking);
    versions.add(observer.foreignVersion());
    await observer.close();
    expect(await lives.onDisk("waiting")).toHaveLength(1_000);
    expect(versions.size).toBeLessThanOrEqual(4);
  });
});

describe("what a channel may get", () => {
  it("is not granted anew by a restart", async () => {
    const lives = new Lives();
    const slack = { definition: { type: "slack", rate: SLACK_RATE } };
    const times: number[] = [];
    for (let life = 0; life < 5; life++) {
      const bench = await lives.begin({ channel: slack });
      bench.channel.script.push({ outcome: "delivered", detail: "200" });
      bench.accept(anomalyOf({ id: `i${life}`, dedup_key: `k${life}` }));
      await bench.router.safe();
      await lives.clock.advance(life === 0 ? 0 : 1_000);
      await vi.waitFor(() => expect(bench.channel.delivered).toHaveLength(1));
      await bench.router.safe();
      times.push(...bench.channel.times);
    }
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(999);
  });

  it("counts over restarts: a crash loop is no way around the governor", async () => {
    const lives = new Lives();
    let messages = 0;
    for (let life = 0; life < 30; life++) {
      const bench = await lives.begin();
      bench.accept(anomalyOf({ id: `i${life}`, dedup_key: `k${life}`, severity: "warning" }));
      await bench.router.safe();
      await lives.clock.advance(2_000);
      // Its message, if there is one, and what is remembered of it, both wait for the disk, which may be slow.
      for (let turn = 0; turn < 40; turn++) {
        await bench.router.safe();
        await settle();
      }
      messages += bench.channel.delivered.length;
    }
    expect(messages).toBeLessThanOrEqual(10);
    expect(await lives.onDisk("waiting")).not.toEqual([]);
  });

  it("respects the silence a vendor asked for before the restart", async () => {
    const lives = new Lives();
    const first = await lives.begin();
    first.channel.script.push({
      outcome: "retry",
      reason: "rate_limited",
      detail: "429",
      retryAfterMs: 60_000,
    });
    first.accept(anomalyOf());
    await vi.waitFor(() => expect(first.channel.attempts).toHaveLength(1));
    await first.router.safe();
    const second = await lives.begin();
    await lives.clock.advance(59_000);
    expect(second.channel.attempts).toEqual([]);
    await lives.clock.advance(2_000);
    await vi.waitFor(() => expect(second.channel.delivered).toHaveLength(1));
  });
});

describe("a database that cannot be used", () => {
  it("is put aside and said, and a new one takes its place", async () => {
    const lives = new Lives();
    writeFileSync(join(lives.directory, OUTBOX_FILE), "this is no database".repeat(1_000));
    const bench = await lives.begin();
    bench.accept(anomalyOf());
    await vi.waitFor(() => expect(bench.channel.delivered).toHaveLength(1));
    expect(lives.lines.join()).toContain("the outbox is damaged and was put aside");
    expect(readdirSync(lives.directory)).toContain(DAMAGED_FILE);
    expect(await metricOf(bench.registry, "nam_outbox_durable", {})).toBe(1);
  });

  it("is noticed where pages are damaged in the middle", async () => {
    const lives = new Lives();
    const first = await lives.begin({ settings: { group_wait_seconds: 300 } });
    for (let index = 0; index < 200; index++) {
      first.accept(anomalyOf({ id: `i${index}`, dedup_key: `k${index}`, severity: "warning" }));
    }
    const stopped = first.router.stop(0);
    await lives.clock.advance(1);
    await stopped;
    const path = join(lives.directory, OUTBOX_FILE);
    truncateSync(path, Math.floor(statSync(path).size / 2 / 4_096) * 4_096);
    const second = await lives.begin();
    second.accept(anomalyOf());
    await vi.waitFor(() => expect(second.channel.told).toContain(`${ID} open`));
    expect(readdirSync(lives.directory)).toContain(DAMAGED_FILE);
  });

  it("leaves the agent with its memory where the folder cannot be written", async () => {
    const file = join(temporaryFolder(), "file");
    writeFileSync(file, "");
    const lives = new Lives(join(file, "state"));
    const bench = await lives.begin();
    bench.accept(anomalyOf());
    await vi.waitFor(() => expect(bench.channel.delivered).toHaveLength(1));
    expect(lives.lines.join()).toContain("alerts are kept in memory only");
    expect(await metricOf(bench.registry, "nam_outbox_durable", {})).toBe(0);
  });
});
