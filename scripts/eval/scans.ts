// SPDX-License-Identifier: AGPL-3.0-or-later
import { hostSweep, portScan } from "../../src/detect/port-scan.ts";
import { DetectionBench, randomOf } from "../../test/support/detection-bench.ts";
import { contactRow } from "../../test/support/windows.ts";
import { table } from "./section.ts";

const SOURCE = "198.51.100.9";
const PATIENCE_SECONDS = 120;
const CONTACTS = 100_000;
/** A SYN without an answer is counted as such after this long. */
const SILENCE_SECONDS = 3;

/** How long a scan goes on until it is told, by its speed and by what the ports answer. */
export function scanTable(): string {
  const targets: Readonly<Record<number, number>> = { 1: 10, 5: 2, 10: 1, 100: 1, 1000: 1 };
  const rows = Object.entries(targets).map(([rate, target]) => [
    `${rate}/s`,
    `${target} s`,
    seconds(scan(Number(rate), false)),
    `${target + SILENCE_SECONDS} s`,
    seconds(scan(Number(rate), true)),
  ]);
  return table(["Probes", "Target, closed ports", "Found", "Target, silent ports", "Found"], rows);
}

/** Hosts that fail to connect now and then are no scanners. */
export function harmlessTable(): string {
  const rows = [0.8, 0.9, 0.97].map((success) => {
    const random = randomOf(Math.round(success * 100));
    const bench = new DetectionBench({ detectors: [portScan, hostSweep] });
    let ports = 0;
    for (let contacts = 0; contacts < CONTACTS; contacts += 5) {
      let successes = 0;
      for (let each = 0; each < 5; each++) if (random() < success) successes++;
      ports += 5;
      const row = contactRow({
        source: SOURCE,
        contacts: 5,
        successes,
        refused: 5 - successes,
        destinations: ports,
        topPort: 443,
      });
      bench.step({ contacts: [row] });
    }
    return [
      `${Math.round(100 * success)} %`,
      CONTACTS,
      bench.events.filter(({ state }) => state === "open").length,
    ];
  });
  return table(["Contacts that succeed", "First contacts", "False scanners"], rows);
}

function scan(rate: number, silent: boolean): number | null {
  const bench = new DetectionBench({ detectors: [portScan, hostSweep] });
  const wait = silent ? SILENCE_SECONDS : 0;
  for (let second = 1; second <= PATIENCE_SECONDS; second++) {
    const failed = second > wait ? rate : 0;
    const row = contactRow({
      source: SOURCE,
      contacts: rate,
      ...(silent ? { unanswered: failed } : { refused: failed }),
      ports: rate * second,
      topDestination: "10.0.0.80",
    });
    if (bench.step({ contacts: [row] }).length > 0) return second;
  }
  return null;
}

function seconds(value: number | null): string {
  return value === null ? "**not found**" : `${value} s`;
}
