// SPDX-License-Identifier: AGPL-3.0-or-later
import { beaconTable, chanceTable } from "./beacons.ts";
import { benignTable } from "./benign.ts";
import { faultTable, floodTable } from "./floods.ts";
import { guardTable } from "./guards.ts";
import { harmlessTable, scanTable } from "./scans.ts";
import type { Section } from "./section.ts";
import { SOAK, soakTable } from "./soak.ts";
import { tunnelTable } from "./tunnels.ts";

/** Seeded windows straight into the detectors: what captures of a minute cannot show. */
export async function simulationSection(folder: string): Promise<Section> {
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
      "### Beacons\n\nEach run is a client that calls a server a hundred times. The target is nine of ten at ±20 %, eight of ten at ±50 %, with one false in a thousand. Heavy jitter is judged by the standard deviation of 32 intervals; its limit was chosen with other seeds than those of this table, between jitter of ±50 % and connections that are evenly spread, the most regular of those that come by chance. Neither size nor rarity of the connections is weighed.",
      beaconTable(),
      chanceTable(),
      "### DNS tunnels\n\nQueries for addresses, which is the hardest kind to tell. The target is all of them within 5 min from 0.4 queries a second on. Names of less than 24 characters are missed, unless they ask for types that carry data: content networks have such names, too.",
      await tunnelTable(folder),
      "### Stories that fool a baseline",
      guardTable(),
      "### Harmless traffic that looks like something else\n\nBuilt as packets, and replayed into a fresh agent with default settings. Some thresholds and rules were made or changed because of these stories, so they show that what is known is mended, and not how often the unknown is wrong. The target is no warning and no critical.",
      await benignTable(folder),
    ],
  };
}
