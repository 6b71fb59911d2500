// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Finding } from "./detector.ts";
import { severityRank } from "./incident.ts";
import { count } from "./text.ts";

/** Key of the one incident that stands for all entities beyond the limit. */
export const MANY = "many entities";

/** Most severe first, then furthest from normal; equal ones by name, so that the order is always the same. */
export function byImportance(a: Finding, b: Finding): number {
  return (
    severityRank(b.severity) - severityRank(a.severity) ||
    Math.abs(b.observed - b.expected) - Math.abs(a.observed - a.expected) ||
    (a.entity.key < b.entity.key ? -1 : 1)
  );
}

/** One finding for all those, in order of importance, that are more than are told one by one. */
export function aggregate(detector: string, findings: readonly Finding[], limit: number): Finding {
  const [worst] = findings as readonly [Finding, ...Finding[]];
  return {
    entity: { kind: "agent", key: MANY },
    severity: worst.severity,
    protocol: worst.protocol,
    observed: findings.length,
    expected: 0,
    threshold: { value: limit, setting: "detectors.guards.max_incidents" },
    windowSeconds: worst.windowSeconds,
    samples: findings.length,
    evidence: findings
      .slice(0, 5)
      .map(({ entity, explanation }) => `${entity.key}: ${explanation}`),
    explanation: `${detector} found ${count(findings.length, "more entity", "more entities")} in one tick, beyond the ${limit} that are told one by one; the worst is ${worst.entity.key}.`,
    suggestion: {
      wireshark_filter: worst.suggestion.wireshark_filter,
      promql: `increase(nam_anomaly_suppressed_total{detector="${detector}",reason="aggregated"}[5m])`,
    },
  };
}
