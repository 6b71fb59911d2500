// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import type { Entity } from "../../src/detect/detector.ts";
import { messageOf } from "../../src/notify/message.ts";
import { alertOf, anomalyOf } from "../support/anomalies.ts";

describe("the title", () => {
  it("says how bad, what, who and where", () => {
    expect(messageOf(alertOf()).title).toBe("CRITICAL port scan from 10.0.0.5 on host-a");
  });

  const entities: [Partial<Entity> & Pick<Entity, "kind">, string][] = [
    [{ kind: "source", source: "2001:db8::5" }, "from 2001:db8::5"],
    [{ kind: "destination", destination: "10.0.0.7" }, "against 10.0.0.7"],
    [{ kind: "service", destination: "10.0.0.7", port: 443 }, "against 10.0.0.7:443"],
    [{ kind: "service", destination: "2001:db8::7", port: 443 }, "against [2001:db8::7]:443"],
    [{ kind: "pair", source: "10.0.0.5", destination: "10.0.0.7" }, "from 10.0.0.5 to 10.0.0.7"],
    [
      { kind: "pair", source: "10.0.0.5", domain: "evil.example" },
      "from 10.0.0.5 to evil[.]example",
    ],
    [
      { kind: "binding", source: "10.0.0.1", mac: "aa:bb:cc:dd:ee:ff" },
      "of 10.0.0.1 by aa:bb:cc:dd:ee:ff",
    ],
    [{ kind: "signal", signal: "transport_tcp_packets" }, "in transport tcp packets"],
    [{ kind: "process", process: "backup" }, "by backup"],
    [{ kind: "host" }, ""],
    [{ kind: "source", key: "only a key" }, "from only a key"],
  ];
  it.each(entities)("names the entity %j", (entity, subject) => {
    const alert = alertOf({ anomalies: [anomalyOf({ entity: { key: "key", ...entity } })] });
    expect(messageOf(alert).title).toBe(
      ["CRITICAL port scan", subject, "on host-a"].filter((part) => part !== "").join(" "),
    );
  });

  it.each([
    ["syn_flood", "SYN flood"],
    ["arp_spoof", "ARP spoof"],
    ["volume_spike", "volume spike"],
  ])("writes %s as %s", (detector, words) => {
    expect(messageOf(alertOf({ anomalies: [anomalyOf({ detector })] })).title).toContain(
      ` ${words} `,
    );
  });

  it("says that more is told, that it goes on, and that it is over", () => {
    const over = anomalyOf({ state: "resolved" });
    expect(messageOf(alertOf({ anomalies: [anomalyOf(), anomalyOf()], more: 17 })).title).toBe(
      "CRITICAL port scan from 10.0.0.5 on host-a, and 18 more",
    );
    expect(messageOf(alertOf({ state: "update" })).title).toMatch(/on host-a goes on$/);
    expect(messageOf(alertOf({ state: "resolved", anomalies: [over] })).title).toBe(
      "RESOLVED port scan from 10.0.0.5 on host-a",
    );
    expect(messageOf(alertOf({ state: "open", anomalies: [over] })).title).toBe(
      "CRITICAL port scan from 10.0.0.5 on host-a, over already",
    );
  });

  it("says how late it is, from 15 minutes on", () => {
    const { createdMs } = alertOf();
    const late = (ms: number) => messageOf(alertOf({ sentMs: createdMs + ms })).title;
    expect(late(899_000)).toBe("CRITICAL port scan from 10.0.0.5 on host-a");
    expect(late(945_000)).toBe("[delayed 15m] CRITICAL port scan from 10.0.0.5 on host-a");
    expect(late(7_500_000)).toMatch(/^\[delayed 2h 5m\] /);
  });
});

describe("the body", () => {
  it("holds the sentence, the numbers, the evidence and what to change", () => {
    const message = messageOf(alertOf());
    expect(message.lead).toBe(anomalyOf().explanation);
    expect(message.facts).toEqual([
      { label: "Observed", value: "1,240 (z-score 41.3)" },
      { label: "Expected", value: "3.25" },
      { label: "Threshold", value: "20" },
      { label: "Since", timeMs: 1_768_478_400_000 },
    ]);
    expect(message.evidence).toEqual(anomalyOf().evidence);
    expect(message.snippets).toEqual([
      { label: "If this is normal, change", code: "detectors.port_scan.alpha" },
      { label: "Wireshark", code: anomalyOf().suggestion.wireshark_filter },
      { label: "PromQL", code: anomalyOf().suggestion.promql },
    ]);
    expect(message.footer).toBe("eth0 · tcp · incident port_scan|10.0.0.5|1");
    expect(message.notes).toEqual([]);
  });

  it("of a resolved anomaly says how long it lasted and how often it was seen", () => {
    const over = anomalyOf({ state: "resolved", first_seen: 1_000, time: 1_252, count: 37 });
    const message = messageOf(alertOf({ state: "resolved", anomalies: [over] }));
    expect(message.level).toBe("resolved");
    expect(message.lead).toBe("It is over. It lasted 4m 12s and was seen 37 times.");
    expect(message.facts.map(({ label }) => label)).toEqual([
      "At its worst",
      "Expected",
      "Threshold",
      "Began",
      "Ended",
    ]);
  });

  it("of what was over before it could be told says both", () => {
    const over = anomalyOf({ state: "resolved", explanation: "It scans.", count: 1 });
    const message = messageOf(alertOf({ state: "open", anomalies: [over] }));
    expect(message.lead).toBe("It scans. It is over. It lasted 12s and was seen once.");
  });

  it("of several tells the others in a line each", () => {
    const other = anomalyOf({ severity: "warning", explanation: "it is odd", evidence: [] });
    const { others } = messageOf(alertOf({ anomalies: [anomalyOf(), other], more: 17 }));
    expect(others).toEqual({
      heading: "Also",
      lines: ["WARNING port scan from 10.0.0.5: it is odd"],
      more: "+17 more",
    });
  });

  it("says when packets were lost", () => {
    const { notes } = messageOf(alertOf({ anomalies: [anomalyOf({ degraded: true })] }));
    expect(notes.join()).toMatch(/More than 1 % of the packets were lost/);
  });
});

describe("a digest", () => {
  const digest = {
    count: 37,
    seconds: 600,
    detectors: [
      { name: "port_scan", count: 30 },
      { name: "syn_flood", count: 7 },
    ],
    topSources: [{ name: "10.0.0.5", count: 20 }],
  };

  it("says how many, of what, in how long and from where", () => {
    const message = messageOf(alertOf({ digest, more: 36 }));
    expect(message.title).toBe("CRITICAL 37 anomalies in 10m on host-a");
    expect(message.lead).toMatch(/^port scan × 30, SYN flood × 7\./);
    expect(message.evidence).toEqual(["Top sources: 10.0.0.5 (20)"]);
    expect(message.others).toMatchObject({ heading: "Most severe", more: "+36 more" });
    expect(message.others.lines).toHaveLength(1);
  });

  it("of one kind says so in the title", () => {
    const one = { ...digest, detectors: [{ name: "port_scan", count: 37 }] };
    expect(messageOf(alertOf({ digest: one })).title).toBe(
      "CRITICAL port scan × 37 in 10m on host-a",
    );
  });
});

describe("a test message", () => {
  it("cannot be taken for an alert", () => {
    const message = messageOf(alertOf({ test: true, anomalies: [], severity: "info" }));
    expect(message).toMatchObject({ level: "test", title: "TEST message from host-a" });
    expect(message.lead).toContain("nothing is wrong");
  });
});
