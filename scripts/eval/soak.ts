// SPDX-License-Identifier: AGPL-3.0-or-later
import { detectors } from "../../src/detect/all.ts";
import { DetectionBench, PROTOCOLS } from "../../test/support/detection-bench.ts";
import { table } from "./section.ts";
import { benignTraffic } from "./traffic.ts";

const DAYS = 2;
const SEEDS = [1, 2, 3];
const BASES = [2, 20, 200];
const DAY_SECONDS = 86_400;

/** Days of harmless traffic: what every detector that judges by signals says of it. */
export function soakTable(): string {
  const counts = new Map<string, Record<"info" | "warning" | "critical", number>>();
  for (const seed of SEEDS) {
    for (const { detector, severity, entity } of soak(seed).events.filter(
      ({ state }) => state === "open",
    )) {
      const at = PROTOCOLS.indexOf((entity.signal ?? "").replace("test_", ""));
      const base = at < 0 ? "all" : `${BASES[at % BASES.length]}/s`;
      const key = `${detector} | ${base}`;
      const own = counts.get(key) ?? { info: 0, warning: 0, critical: 0 };
      own[severity]++;
      counts.set(key, own);
    }
  }
  const days = (base: string): number =>
    (DAYS * SEEDS.length * PROTOCOLS.length) / (base === "all" ? 1 : BASES.length);
  const rows = [...counts].sort().map(([key, { info, warning, critical }]) => {
    const [detector = "", base = ""] = key.split(" | ");
    const each = (count: number): string => (count / days(base)).toFixed(3);
    return [`\`${detector}\``, base, each(info), each(warning), each(critical)];
  });
  return table(["Detector", "Base rate", "Info a series-day", "Warning", "Critical"], rows);
}

/** Says how much traffic the table is about. */
export const SOAK = `${PROTOCOLS.length} independent series (a third each around ${BASES.join(", ")} packets/s) × ${DAYS} days × ${SEEDS.length} seeds`;

function soak(seed: number): DetectionBench {
  const bench = new DetectionBench({ detectors });
  const traffic = PROTOCOLS.map((_, at) =>
    benignTraffic(BASES[at % BASES.length] ?? 0, seed * 100 + at),
  );
  bench.run(DAYS * DAY_SECONDS, (second) => ({
    packets: Object.fromEntries(
      PROTOCOLS.map((protocol, at) => [protocol, traffic[at]?.next(second) ?? 0]),
    ),
  }));
  return bench;
}
