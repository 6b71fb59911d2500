// SPDX-License-Identifier: AGPL-3.0-or-later
import { faultTable, floodTable } from "./floods.ts";
import { guardTable } from "./guards.ts";
import { harmlessTable, scanTable } from "./scans.ts";
import type { Section } from "./section.ts";
import { SOAK, soakTable } from "./soak.ts";

/** Seeded windows straight into the detectors: what captures of a minute cannot show. */
export function simulationSection(): Section {
  return {
    title: "Simulations",
    parts: [
      "Windows made by seeded generators, judged by the shipped detectors at their defaults.",
      `### Harmless traffic\n\n${SOAK}: a day's shape, slow log-normal swings, Pareto bursts, Poisson counts. Detectors not named told nothing. The target is at most 1 info a series-day from 20/s on, and no critical.`,
      soakTable(),
      "### SYN floods\n\nThe target is a warning for every flood of +3× within 3 s (p95 10 s), a critical for every one of +10× within 2 s (p95 3 s).",
      floodTable(),
      "The far side fails without an attack; the target is at most 0.05 criticals a day.",
      faultTable(),
      "### Scans",
      scanTable(),
      "The target is no false scanner.",
      harmlessTable(),
      "### Stories that fool a baseline",
      guardTable(),
    ],
  };
}
