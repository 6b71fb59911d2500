// SPDX-License-Identifier: AGPL-3.0-or-later
import fc from "fast-check";
import type { Alert } from "../../src/alert/alert.ts";
import type { Anomaly, Entity } from "../../src/detect/detector.ts";

/** A port scan as the detector tells it; `changes` replace fields. */
export function anomalyOf(changes: Partial<Anomaly> = {}): Anomaly {
  const entity = changes.entity ?? { kind: "source", key: "10.0.0.5", source: "10.0.0.5" };
  const detector = changes.detector ?? "port_scan";
  const dedupKey = `${detector}|${entity.key}`;
  return {
    id: `${dedupKey}|1`,
    time: 1_768_478_412,
    detector,
    class: "scan",
    severity: "critical",
    state: "open",
    protocol: "tcp",
    interface: "eth0",
    observed: 1_240,
    expected: 3.25,
    z: 41.3,
    threshold: { value: 20, setting: `detectors.${detector}.alpha` },
    window_s: 10,
    samples: 1_240,
    evidence: [
      "1,180 of 1,240 first contacts went unanswered or were refused",
      "1,000 ports of 10.0.0.7 were tried in 4 s",
    ],
    explanation:
      "10.0.0.5 tries one port after another on 10.0.0.7, and almost nothing answers: it looks for open services.",
    degraded: false,
    first_seen: 1_768_478_400,
    count: 12,
    suggestion: {
      wireshark_filter: "ip.src == 10.0.0.5 && tcp.flags.syn == 1 && tcp.flags.ack == 0",
      promql: 'rate(nam_tcp_segments_total{flag="syn"}[1m])',
    },
    ...changes,
    dedup_key: changes.dedup_key ?? dedupKey,
    entity,
  };
}

export function alertOf(changes: Partial<Alert> = {}): Alert {
  return {
    id: "0123456789abcdef",
    state: "open",
    severity: "critical",
    anomalies: [anomalyOf()],
    more: 0,
    createdMs: 1_768_478_412_000,
    sentMs: 1_768_478_412_000,
    agent: "host-a",
    test: false,
    ...changes,
  };
}

/** Text as an attacker would choose it, among ordinary text. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.constantFrom(
    "",
    "@everyone @here <@123456789> <@&42> <#7>",
    "<!channel> <!here> <!everyone> <!subteam^S1|x> <@U012ABC> <#C1>",
    "<https://evil.example/login|your bank> [click](https://evil.example)",
    "\u202egnp.exe\u202c \u2066right to left\u2069 \u200f\u200e",
    "```*bold* _it_ ~gone~ ||spoiler|| `code` # head\n> quote\n- list```",
    "&amp; &lt;b&gt; <b>&</b>",
    "\ud800 lone \udfff surrogates",
    "\u001b[2Jterminal\u0007\u0000",
    "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319 accents",
    "👩‍👩‍👧‍👦".repeat(50),
    "\\".repeat(300),
    "&".repeat(5_000),
    "a".repeat(65_536),
    "*_~`|<>&@#\\".repeat(6_000),
    `${"label.".repeat(10_000)}example.com`,
  ),
);

const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, 0.000_001, 1e300, 1e21));
const severity = fc.constantFrom("info", "warning", "critical");
const state = fc.constantFrom("open", "update", "resolved");
const timeSeconds = fc.integer({ min: 0, max: 4_000_000_000 });

const entity: fc.Arbitrary<Entity> = fc.record(
  {
    kind: fc.constantFrom(
      "source",
      "destination",
      "service",
      "pair",
      "binding",
      "signal",
      "host",
      "process",
      "agent",
    ),
    key: hostileText,
    source: hostileText,
    destination: hostileText,
    port: fc.integer({ min: 0, max: 65_535 }),
    domain: hostileText,
    mac: hostileText,
    process: hostileText,
    signal: hostileText,
  },
  { requiredKeys: ["kind", "key"] },
);

const anomaly: fc.Arbitrary<Anomaly> = fc.record({
  id: hostileText,
  time: timeSeconds,
  detector: fc.oneof(fc.constantFrom("port_scan", "syn_flood", "dns_tunnel"), hostileText),
  class: hostileText,
  severity,
  state,
  entity,
  protocol: hostileText,
  interface: hostileText,
  observed: number,
  expected: number,
  z: fc.option(number),
  threshold: fc.record({ value: number, setting: hostileText }),
  window_s: number,
  samples: number,
  evidence: fc.array(hostileText, { maxLength: 8 }),
  explanation: hostileText,
  degraded: fc.boolean(),
  first_seen: timeSeconds,
  count: fc.nat(),
  dedup_key: hostileText,
  suggestion: fc.record({ wireshark_filter: hostileText, promql: hostileText }),
});

/** Mostly as few as a message holds of them, now and then more than any message can show. */
const anomalies = fc.oneof(
  { weight: 4, arbitrary: fc.array(anomaly, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.array(anomaly, { maxLength: 14 }) },
);

const tally = fc.array(fc.record({ name: hostileText, count: fc.nat() }), { maxLength: 40 });

/** Any message the router could make, and many it could not. */
export const anyAlert: fc.Arbitrary<Alert> = fc
  .record(
    {
      id: hostileText,
      state,
      severity,
      anomalies,
      more: fc.nat(),
      createdMs: timeSeconds.map((seconds) => seconds * 1_000),
      agent: hostileText,
      lateMs: fc.integer({ min: -10_000, max: 90_000_000 }),
      digest: fc.record({
        count: fc.nat(),
        seconds: fc.double({ min: 0, max: 1e6, noNaN: true }),
        detectors: tally,
        topSources: tally,
      }),
    },
    {
      requiredKeys: [
        "id",
        "state",
        "severity",
        "anomalies",
        "more",
        "createdMs",
        "agent",
        "lateMs",
      ],
    },
  )
  .map(({ lateMs, ...alert }) => ({
    ...alert,
    sentMs: alert.createdMs + lateMs,
    test: alert.anomalies.length === 0,
  }));
