// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import type { Anomaly, Severity } from "../../src/detect/detector.ts";
import {
  type Bench,
  createBench,
  DISCORD_RATE,
  fatesOf,
  NO_RATE,
  SLACK_RATE,
} from "../support/alert-bench.ts";
import { anomalyOf } from "../support/anomalies.ts";
import { settle } from "../support/fake-clock.ts";

const DETECTORS = ["port_scan", "syn_flood", "arp_spoof", "volume_spike", "host_cpu"];
const RATES = { slack: SLACK_RATE, discord: DISCORD_RATE, unlimited: NO_RATE };
const MIXES: Readonly<Record<string, readonly Severity[]>> = {
  "all critical": ["critical"],
  "all warnings": ["warning"],
  mixed: ["info", "warning", "warning", "critical"],
};

function event(index: number, severities: readonly Severity[], detectors: readonly string[]) {
  const source = `10.0.${index % 50}.1`;
  return anomalyOf({
    id: `i${index}`,
    dedup_key: `k${index}`,
    detector: detectors[index % detectors.length] ?? "",
    severity: severities[index % severities.length] ?? "warning",
    entity: { kind: "source", key: source, source },
  });
}

async function burst(bench: Bench, severities: readonly Severity[], detectors: readonly string[]) {
  for (let index = 0; index < 1_000; index++) {
    bench.accept(event(index, severities, detectors));
    await bench.clock.advance(10);
  }
}

describe.each(Object.entries(RATES))(
  "a burst of 1,000 events in 10 s at the rate of %s",
  (_, rate) => {
    it.each(Object.entries(MIXES))(
      "is at most 10 messages, with every event accounted for: %s",
      async (_, mix) => {
        for (const detectors of [["port_scan"], DETECTORS]) {
          const bench = createBench({ channel: { definition: { type: "chat", rate } } });
          await burst(bench, mix, detectors);
          await bench.clock.advance(3_600_000);
          expect(bench.channel.attempts.length).toBeLessThanOrEqual(10);
          const fates = await fatesOf(bench);
          expect(fates.sum).toBe(1_000);
          expect(fates.told + fates.counted + fates.filtered).toBe(1_000);
          expect(await bench.metric("nam_outbox_depth")).toBe(0);
          const said = bench.channel.delivered.reduce(
            (sum, { anomalies, more }) => sum + anomalies.length + more,
            0,
          );
          expect(said).toBe(fates.told + fates.counted);
        }
      },
    );
  },
);

describe("a digest", () => {
  it("says how many, of what, in how long, and the top three sources", async () => {
    const bench = createBench();
    await burst(bench, ["warning"], ["port_scan", "syn_flood"]);
    await bench.clock.advance(3_600_000);
    const last = bench.channel.delivered.at(-1);
    expect(last?.digest).toMatchObject({
      detectors: [
        { name: expect.stringMatching(/^(port_scan|syn_flood)$/) },
        { name: expect.stringMatching(/^(port_scan|syn_flood)$/) },
      ],
      topSources: [{ name: expect.stringMatching(/^10\.0\./) }, {}, {}],
    });
    expect(last?.digest?.count).toBe((last?.anomalies.length ?? 0) + (last?.more ?? 0));
    expect(last?.digest?.seconds).toBeGreaterThan(0);
  });

  it("comes less and less often while a storm lasts, and never rarer than once a window", async () => {
    const bench = createBench();
    for (let second = 0; second < 7_200; second++) {
      bench.accept(event(second, ["warning"], ["port_scan"]));
      await bench.clock.advance(1_000);
    }
    const late = bench.channel.times.filter((time) => time > 600_000);
    expect(late.length).toBeLessThan(20);
    const gaps = late.slice(1).map((time, index) => time - (late[index] ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(601_000);
    expect((await fatesOf(bench)).sum + (await bench.metric("nam_outbox_depth"))).toBe(7_200);
  });

  it("is not overdue while it gathers", async () => {
    const bench = createBench();
    for (let index = 0; index < 40; index++) {
      bench.accept(event(index, ["warning"], ["port_scan"]));
      await bench.clock.advance(5_000);
    }
    expect(await bench.metric("nam_outbox_depth")).toBeGreaterThan(0);
    expect(await bench.metric("nam_outbox_oldest_age_seconds")).toBe(0);
  });
});

describe("in a storm", () => {
  const STORM_SECONDS = 300;

  /** Warnings of one detector, one a second, until they are told in digests only. */
  async function storm(): Promise<Bench> {
    const bench = createBench();
    for (let second = 0; second < STORM_SECONDS; second++) {
      bench.accept(event(second, ["warning"], ["port_scan"]));
      await bench.clock.advance(1_000);
    }
    expect(bench.channel.delivered.at(-1)?.digest).toBeDefined();
    return bench;
  }

  async function isToldSoon(bench: Bench, ...events: readonly Anomaly[]): Promise<boolean> {
    bench.accept(...events);
    await bench.clock.advance(31_000);
    return events.every(({ id }) => bench.channel.told.includes(`${id} open`));
  }

  it("what is nothing new waits for the digest", async () => {
    const bench = await storm();
    expect(await isToldSoon(bench, event(2_000, ["warning"], ["port_scan"]))).toBe(false);
    await bench.clock.advance(600_000);
    expect((await fatesOf(bench)).sum).toBe(STORM_SECONDS + 1);
  });

  it("the first event of a new detector gets through", async () => {
    const bench = await storm();
    expect(await isToldSoon(bench, event(2_000, ["warning"], ["arp_spoof"]))).toBe(true);
    expect(await isToldSoon(bench, event(2_001, ["warning"], ["arp_spoof"]))).toBe(false);
  });

  it("something critical about a new entity gets through", async () => {
    const bench = await storm();
    const critical = event(2_000, ["critical"], ["port_scan"]);
    expect(await isToldSoon(bench, critical)).toBe(true);
    expect(await isToldSoon(bench, { ...critical, id: "again" })).toBe(false);
    expect(await isToldSoon(bench, event(2_001, ["critical"], ["port_scan"]))).toBe(true);
  });

  it("ends: after a calm window, an anomaly has a message of its own again", async () => {
    const bench = await storm();
    await bench.clock.advance(1_200_000);
    bench.accept(event(3_000, ["critical"], ["port_scan"]));
    await settle();
    expect(bench.channel.delivered.at(-1)).toMatchObject({ anomalies: [{ id: "i3000" }], more: 0 });
    expect(bench.channel.delivered.at(-1)?.digest).toBeUndefined();
  });
});
