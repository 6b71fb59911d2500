// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Anomaly, DetectorDefinition, Finding, Severity } from "../../src/detect/detector.ts";
import { DetectionBench, type Step } from "../support/detection-bench.ts";
import { contactRow, drops, START_MS } from "../support/windows.ts";

const settings = z.strictObject({});

/**
 * Calls every source of a contact row anomalous: `contacts` is the number observed, `topPort` the severity. What it
 * finds is up to the test; how incidents live is not.
 */
const scripted: DetectorDefinition<z.infer<typeof settings>> = {
  name: "scripted",
  class: "test",
  help: "Finds what the test tells it to.",
  severities: ["info", "warning", "critical"],
  settings,
  quietSeconds: 30,
  create: () => ({
    evaluate: ({ window }) =>
      window.rows.contacts.map((row) => finding(row.source, row.contacts, row.topPort)),
  }),
};

const SEVERITY: readonly Severity[] = ["info", "warning", "critical"];

function finding(key: string, observed: number, severity: number): Finding {
  return {
    entity: { kind: "source", key },
    severity: SEVERITY[severity] ?? "info",
    protocol: "tcp",
    observed,
    expected: 0,
    threshold: { value: 1, setting: "detectors.scripted.enabled" },
    windowSeconds: 1,
    samples: observed,
    evidence: [],
    explanation: `${key} shows ${observed}.`,
    suggestion: { wireshark_filter: "frame", promql: "up" },
  };
}

function bench(guards: Record<string, unknown> = {}): DetectionBench {
  return new DetectionBench({ detectors: [scripted], settings: { guards } });
}

/** A tick in which sources are anomalous: name, what is observed, severity 0 to 2. */
function anomalous(...sources: [string, number, number][]): Step {
  return {
    contacts: sources.map(([source, contacts, topPort]) =>
      contactRow({ source, contacts, topPort }),
    ),
  };
}

function told(events: readonly Anomaly[]): string[] {
  return events.map(({ entity, severity, state }) => `${entity.key} ${severity} ${state}`);
}

describe("incident", () => {
  it("opens once, whatever comes after in the same severity", () => {
    const incidents = bench();
    incidents.run(200, anomalous(["a", 5, 1]));
    expect(told(incidents.events)).toEqual(["a warning open"]);
  });

  it("has the identity and times of its first finding", () => {
    const [event] = bench().step(anomalous(["a", 5, 1]));
    expect(event).toMatchObject({
      time: START_MS / 1000 + 1,
      first_seen: START_MS / 1000 + 1,
      count: 1,
      state: "open",
      interface: "eth0",
      z: null,
      degraded: false,
    });
    expect(event?.id).toMatch(/^[0-9a-f]{16}$/);
    expect(event?.dedup_key).toMatch(/^[0-9a-f]{16}$/);
  });

  it("is told again every 5 minutes with new numbers", () => {
    const incidents = bench();
    incidents.run(301, (at) => anomalous(["a", at, 1]));
    expect(told(incidents.events)).toEqual(["a warning open", "a warning update"]);
    expect(incidents.events[1]).toMatchObject({
      observed: 300,
      count: 301,
      id: incidents.events[0]?.id,
    });
  });

  it("is told at once when it gets worse, and never gets better", async () => {
    const incidents = bench();
    incidents.step(anomalous(["a", 5, 1]));
    incidents.step(anomalous(["a", 50, 2]));
    incidents.run(20, anomalous(["a", 5, 0]));
    expect(told(incidents.events)).toEqual(["a warning open", "a critical update"]);
    expect(told(incidents.engine.active())).toEqual(["a critical update"]);
    const events = (severity: string): string =>
      `nam_anomaly_events_total{detector="scripted",severity="${severity}"}`;
    expect(await incidents.series(events("warning"))).toBe(1);
    expect(await incidents.series(events("critical"))).toBe(1);
    expect(
      await incidents.series('nam_anomaly_active{detector="scripted",severity="critical"}'),
    ).toBe(1);
    expect(
      await incidents.series('nam_anomaly_active{detector="scripted",severity="warning"}'),
    ).toBe(0);
  });

  it("is resolved after quiet, with its worst numbers", async () => {
    const incidents = bench();
    incidents.run(3, (at) => anomalous(["a", at === 1 ? 99 : 5, 1]));
    expect(told(incidents.run(29))).toEqual([]);
    const changes = incidents.run(1);
    expect(changes).toMatchObject([{ state: "resolved", observed: 99, count: 3 }]);
    expect(incidents.engine.active()).toEqual([]);
    expect(
      await incidents.series('nam_anomaly_active{detector="scripted",severity="warning"}'),
    ).toBe(0);
  });

  it("stays degraded, where packets were lost in any of its ticks", () => {
    const incidents = bench();
    const lost = { capture: { received: 1000, dropped: drops({ kernel: 500 }) } };
    incidents.run(3, (at) => ({ ...anomalous(["a", 5, 1]), ...(at === 1 ? lost : {}) }));
    incidents.run(40);
    expect(incidents.events.map(({ state, degraded }) => [state, degraded])).toEqual([
      ["open", false],
      ["resolved", true],
    ]);
  });

  it("stays silent for the cool-down, and then is a new one", async () => {
    const incidents = bench({ cooldown_seconds: 100 });
    incidents.step(anomalous(["a", 5, 1]));
    incidents.run(30);
    expect(incidents.run(60, anomalous(["a", 5, 1]))).toEqual([]);
    const reason = 'nam_anomaly_suppressed_total{detector="scripted",reason="cooldown"}';
    expect(await incidents.series(reason)).toBe(60);
    const later = incidents.run(60, anomalous(["a", 5, 1]));
    expect(told(later)).toEqual(["a warning open"]);
    expect(later[0]?.id).not.toBe(incidents.events[0]?.id);
    expect(later[0]?.dedup_key).toBe(incidents.events[0]?.dedup_key);
  });

  it("does not wait for the cool-down when it comes back worse", () => {
    const incidents = bench();
    incidents.step(anomalous(["a", 5, 1]));
    incidents.run(30);
    expect(told(incidents.step(anomalous(["a", 50, 2])))).toEqual(["a critical open"]);
  });

  it("does not silence other entities", () => {
    const incidents = bench();
    incidents.step(anomalous(["a", 5, 1]));
    incidents.run(30);
    expect(told(incidents.step(anomalous(["b", 5, 1])))).toEqual(["b warning open"]);
  });
});

describe("the cool-down over a restart", () => {
  const settings = { cooldown_seconds: 100 };

  /** A run after one that ended when something was just over; `pauseSeconds` between them by the clock. */
  function restarted(pauseSeconds: number, isOld = false): DetectionBench {
    const earlier = bench(settings);
    earlier.step(anomalous(["a", 5, 1]));
    expect(told(earlier.run(30))).toEqual(["a warning resolved"]);
    const memory = JSON.parse(JSON.stringify(earlier.engine.remember()));
    const startMs = earlier.timeMs + pauseSeconds * 1000;
    const guards = { detectors: [scripted], settings: { guards: settings }, startMs };
    const later = new DetectionBench(guards);
    later.engine.recall(memory, isOld);
    return later;
  }

  it("goes on, the time between counted", async () => {
    const later = restarted(40);
    expect(later.run(59, anomalous(["a", 5, 1]))).toEqual([]);
    const reason = 'nam_anomaly_suppressed_total{detector="scripted",reason="cooldown"}';
    expect(await later.series(reason)).toBe(59);
    expect(told(later.run(2, anomalous(["a", 5, 1])))).toEqual(["a warning open"]);
  });

  it("goes on over two restarts, with nothing found in between", () => {
    const later = restarted(5);
    const third = bench(settings);
    third.engine.recall(later.engine.remember(), false);
    expect(third.step(anomalous(["a", 5, 1]))).toEqual([]);
  });

  it("holds back nothing that comes back worse, nor others", () => {
    expect(told(restarted(5).step(anomalous(["a", 5, 2], ["b", 5, 1])))).toEqual([
      "a critical open",
      "b warning open",
    ]);
  });

  it("is over when it is over, or nothing is known of it", () => {
    expect(told(restarted(101).step(anomalous(["a", 5, 1])))).toEqual(["a warning open"]);
    expect(told(restarted(5, true).step(anomalous(["a", 5, 1])))).toEqual(["a warning open"]);
  });

  it("does not last longer because the clock was put back", () => {
    const later = restarted(-3600);
    expect(later.run(99, anomalous(["a", 5, 1]))).toEqual([]);
    expect(told(later.run(3, anomalous(["a", 5, 1])))).toEqual(["a warning open"]);
  });
});

describe("a storm of entities", () => {
  const storm = (at: number): Step =>
    anomalous(
      ...Array.from({ length: 200 }, (_, n): [string, number, number] => [`${at}-${n}`, n, 1]),
    );

  it("is twenty incidents and one about all the others", async () => {
    const incidents = bench();
    incidents.run(100, storm);
    const opened = incidents.events.filter(({ state }) => state === "open");
    expect(opened).toHaveLength(21);
    expect(opened.at(-1)).toMatchObject({
      entity: { kind: "agent", key: "many entities" },
      observed: 180,
      threshold: { value: 20, setting: "detectors.guards.max_incidents" },
    });
    expect(opened.at(-1)?.evidence).toHaveLength(5);
    const reason = 'nam_anomaly_suppressed_total{detector="scripted",reason="aggregated"}';
    expect(await incidents.series(reason)).toBe(180 + 99 * 200);
    expect(incidents.engine.active()).toHaveLength(1);
  });

  it("tells the most important ones by name", () => {
    const incidents = bench({ max_incidents: 2 });
    incidents.step(anomalous(["small", 1, 1], ["worst", 1, 2], ["large", 9, 1], ["other", 2, 1]));
    expect(told(incidents.events)).toEqual([
      "worst critical open",
      "large warning open",
      "many entities warning open",
    ]);
  });

  it("lets a worse one through at once", () => {
    const incidents = bench({ max_incidents: 1 });
    incidents.step(anomalous(["a", 5, 1], ["b", 5, 1]));
    expect(told(incidents.step(anomalous(["c", 5, 2])))).toEqual(["many entities critical update"]);
  });

  it("is over when it is over", () => {
    const incidents = bench();
    incidents.run(5, storm);
    incidents.run(40);
    expect(incidents.engine.active()).toEqual([]);
    expect(told(incidents.step(anomalous(["z", 5, 1])))).toEqual(["z warning open"]);
  });
});

describe("incidents that an earlier run left open", () => {
  /** What an earlier run told last about two sources. */
  function left(): Anomaly[] {
    const earlier = bench();
    earlier.run(5, anomalous(["a", 5, 1], ["b", 5, 2]));
    return earlier.events.slice(0, 2);
  }

  it("are over when they are not found again, under the names they had", () => {
    const open = left();
    const later = bench();
    expect(later.engine.restore(open)).toEqual([]);
    expect(told(later.engine.active()).sort()).toEqual(["a warning open", "b critical open"]);
    later.run(29, {});
    expect(later.events).toEqual([]);
    later.run(2, {});
    expect(told(later.events).sort()).toEqual(["a warning resolved", "b critical resolved"]);
    expect(later.events.map(({ id }) => id).sort()).toEqual(open.map(({ id }) => id).sort());
  });

  it("get the time to learn what is usual, where that is needed to find them again", () => {
    const later = new DetectionBench({
      detectors: [{ ...scripted, statistical: true }],
      settings: { guards: { warmup_seconds: 60 } },
    });
    later.engine.restore(left());
    expect(later.run(60 + 29)).toEqual([]);
    expect(later.run(2).map(({ state }) => state)).toEqual(["resolved", "resolved"]);
  });

  it("go on when they are found again, and are not opened twice", () => {
    const open = left();
    const later = bench();
    later.engine.restore(open);
    later.run(100, anomalous(["a", 7, 1], ["b", 7, 2]));
    expect(later.events).toEqual([]);
    later.run(31, {});
    expect(later.events.map(({ id, first_seen }) => [id, first_seen]).sort()).toEqual(
      open.map(({ id, first_seen }) => [id, first_seen]).sort(),
    );
    expect(later.events[0]).toMatchObject({ observed: 7, count: 101 });
  });

  it("are given back where no detector would ever end them", () => {
    const [first] = left();
    if (!first) throw new Error("nothing was found");
    const stranger = { ...first, detector: "of_another_version" };
    expect(bench().engine.restore([stranger])).toEqual([stranger]);
  });
});
