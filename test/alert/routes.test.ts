// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { alertSettings } from "../../src/alert/all.ts";
import { endOfWindowMs, windowFields } from "../../src/alert/schedule.ts";
import type { AlertSettings } from "../../src/alert/settings.ts";
import { type Bench, createBench, fatesOf } from "../support/alert-bench.ts";
import { anomalyOf } from "../support/anomalies.ts";
import { FakeClock } from "../support/fake-clock.ts";

type RouteInput = Record<string, unknown>;

/** The clock starts on Thursday, 15 January 2026, at this hour. */
function bench(routes: readonly RouteInput[], hour = 12): Bench {
  const settings: AlertSettings = alertSettings.parse({ routes });
  const clock = new FakeClock(Date.UTC(2026, 0, 15, hour));
  return createBench({ settings, clock, channel: { minimumSeverity: "info" } });
}

function warning(id: string, changes: Parameters<typeof anomalyOf>[0] = {}) {
  return anomalyOf({ id, dedup_key: id, severity: "warning", ...changes });
}

describe("routes", () => {
  it("leave a channel that none names with everything", async () => {
    const { accept, channel, clock } = bench([{ channels: ["other"], detectors: ["nothing"] }]);
    accept(warning("a"));
    await clock.advance(2_000);
    expect(channel.told).toEqual(["a open"]);
  });

  it("choose by detector, entity and severity", async () => {
    const test = bench([
      { channels: ["chat"], detectors: ["arp_*"], minimum_severity: "critical" },
      { channels: ["chat"], entities: ["10.0.9.*"] },
    ]);
    const entity = { kind: "source", key: "10.0.9.7", source: "10.0.9.7" } as const;
    test.accept(
      warning("scan"),
      warning("arp", { detector: "arp_spoof" }),
      warning("worse arp", { detector: "arp_spoof", severity: "critical" }),
      warning("elsewhere", { entity }),
    );
    await test.clock.advance(2_000);
    expect(test.channel.told.sort()).toEqual(["elsewhere open", "worse arp open"]);
    expect(await fatesOf(test)).toMatchObject({ filtered: 2, told: 2, sum: 4 });
  });

  it("decide whether an end is told", async () => {
    const { accept, channel, clock } = bench([
      { detectors: ["port_scan"], send_resolved: false },
      {},
    ]);
    accept(warning("a"), warning("b", { detector: "arp_spoof" }));
    await clock.advance(2_000);
    accept(
      warning("a", { state: "resolved" }),
      warning("b", { state: "resolved", detector: "arp_spoof" }),
    );
    await clock.advance(60_000);
    expect(channel.told).toEqual(["a open", "b open", "b resolved"]);
  });
});

describe("quiet hours", () => {
  const night = { quiet_hours: [{ from: "22:00", to: "07:00" }] };

  it("hold back until they end, and tell the state of then", async () => {
    const { accept, channel, clock } = bench([night], 23);
    accept(warning("a"), warning("b"));
    await clock.advance(3_600_000);
    accept(warning("b", { state: "resolved" }));
    await clock.advance(7 * 3_600_000 - 1_000);
    expect(channel.attempts).toEqual([]);
    await clock.advance(2_000);
    expect(
      channel.delivered.flatMap(({ anomalies }) => anomalies.map(({ id }) => id)).sort(),
    ).toEqual(["a", "b"]);
    expect(channel.told).toContain("b resolved");
  });

  it("do not hold back what is critical, nor let it take the rest along", async () => {
    const { accept, channel, clock } = bench([night], 23);
    accept(warning("a"));
    await clock.advance(1_000);
    accept(warning("c", { severity: "critical" }));
    await clock.advance(60_000);
    expect(channel.told).toEqual(["c open"]);
    accept(warning("a", { severity: "critical", state: "update" }));
    await clock.advance(60_000);
    expect(channel.told).toEqual(["c open", "a update"]);
    expect(channel.delivered.at(-1)?.state).toBe("open");
  });

  it("are quiet about everything where nothing may wake", async () => {
    const { accept, channel, clock } = bench([{ ...night, wake_severity: "never" }], 23);
    accept(warning("c", { severity: "critical" }));
    await clock.advance(60_000);
    expect(channel.attempts).toEqual([]);
  });

  it("do not hold up the end of the program", async () => {
    const { accept, router, clock } = bench([night], 23);
    accept(warning("a"));
    await router.stop(5_000);
    expect(clock.now()).toBe(Date.UTC(2026, 0, 15, 23));
  });
});

describe("a weekly window", () => {
  const end = (window: Record<string, unknown>, time: string): string | null => {
    const endMs = endOfWindowMs([windowFields.parse(window)], Date.parse(time));
    return endMs === null ? null : new Date(endMs).toISOString();
  };

  it("may go over midnight, and belongs to the day it begins on", () => {
    const friday = { days: ["fri"], from: "22:00", to: "06:00" };
    expect(end(friday, "2026-01-16T21:59:59Z")).toBeNull();
    expect(end(friday, "2026-01-16T22:00:00Z")).toBe("2026-01-17T06:00:00.000Z");
    expect(end(friday, "2026-01-17T05:59:59Z")).toBe("2026-01-17T06:00:00.000Z");
    expect(end(friday, "2026-01-17T06:00:00Z")).toBeNull();
    expect(end(friday, "2026-01-16T05:00:00Z")).toBeNull();
  });

  it("follows its time zone, summer time included", () => {
    const berlin = { from: "22:00", to: "07:00", time_zone: "Europe/Berlin" };
    expect(end(berlin, "2026-01-15T21:00:00Z")).toBe("2026-01-16T06:00:00.000Z");
    // The clocks go forward in this night.
    expect(end(berlin, "2026-03-28T22:00:00Z")).toBe("2026-03-29T05:00:00.000Z");
    expect(end(berlin, "2026-07-15T19:59:00Z")).toBeNull();
    expect(end(berlin, "2026-07-15T20:00:00Z")).toBe("2026-07-16T05:00:00.000Z");
  });

  it("goes on in one that touches it", () => {
    const windows = [
      { from: "18:00", to: "24:00" },
      { from: "00:00", to: "08:00" },
    ].map((window) => windowFields.parse(window));
    const endMs = endOfWindowMs(windows.slice(0, 1), Date.parse("2026-01-15T20:00:00Z"));
    expect(endMs).toBe(Date.parse("2026-01-16T00:00:00Z"));
    const weekend = [
      { days: ["sat"], from: "00:00", to: "24:00" },
      { days: ["sun"], from: "00:00", to: "24:00" },
    ].map((window) => windowFields.parse(window));
    expect(endOfWindowMs(weekend, Date.parse("2026-01-17T09:00:00Z"))).toBe(
      Date.parse("2026-01-19T00:00:00Z"),
    );
  });

  it("refuses a time zone that there is not", () => {
    expect(windowFields.safeParse({ from: "1:00", to: "02:00" }).success).toBe(false);
    const nowhere = { from: "01:00", to: "02:00", time_zone: "Mars/Base" };
    expect(windowFields.safeParse(nowhere).success).toBe(false);
  });
});
