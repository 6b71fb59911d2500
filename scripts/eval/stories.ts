// SPDX-License-Identifier: AGPL-3.0-or-later
// Attacks told as packets, and the harmless traffic that looks like each of them, through the whole pipeline.
import { join } from "node:path";
import { detectors } from "../../src/detect/all.ts";
import type { Severity } from "../../src/detect/detector.ts";
import { later, soon, WITHOUT_STORY } from "../../test/detect/stories/all.ts";
import { framesOf, play, type Story, type Telling } from "../../test/detect/stories/story.ts";
import type { Harmless } from "./benign.ts";
import { quantileText, spanOf, table } from "./section.ts";

/** What became of one story. */
export interface Told {
  readonly story: Story;
  /** The first that its detector said, and how long after the story's first packet; null where it said nothing. */
  readonly found: { readonly severity: Severity; readonly seconds: number } | null;
  readonly twin: Harmless;
}

/** Plays all the stories of the tests into fresh agents; `folder` is for the captures. */
export async function tellStories(folder: string): Promise<Told[]> {
  const file = join(folder, "story.pcap");
  const told: Told[] = [];
  for (const story of [...soon, ...later]) {
    const found = await firstSaid(story, file);
    told.push({ story, found, twin: await twinOf(story, file) });
  }
  return told;
}

/** A row a detector: what it found of its own stories, and what it said of their twins. */
export function storyTable(told: readonly Told[]): string {
  const rows = detectors.map(({ name }) => {
    const own = told.filter(({ story }) => story.detector === name);
    const found = own.map((each) => each.found).filter((each) => each !== null);
    const severities = [...new Set(found.map(({ severity }) => severity))];
    const delays = found.map(({ seconds }) => seconds);
    return [
      `\`${name}\``,
      WITHOUT_STORY[name]?.replace(/:.*/, "") ?? own.map(({ story }) => story.attack).join("; "),
      own.length === 0 ? "–" : `${found.length} of ${own.length}`,
      severities.join(", ") || "–",
      quantileText(delays, 0.5),
    ];
  });
  return table(["Detector", "Attack", "Found", "As", "Told after, median"], rows);
}

/** A row a detector that raised a false alarm, and how much traffic all of them were silent about. */
export function alarmTable(harmless: readonly Harmless[]): string {
  const days = harmless.reduce((sum, { seconds }) => sum + seconds, 0) / 86_400;
  const alarms = harmless.flatMap(({ events }) => [
    // Each once, also one that was told as info first.
    ...new Map(
      events.filter(({ severity }) => severity !== "info").map((event) => [event.id, event]),
    ).values(),
  ]);
  const rows = detectors
    .map(({ name }) => ({ name, count: alarms.filter(({ detector }) => detector === name).length }))
    .filter(({ count }) => count > 0)
    .map(({ name, count }) => [`\`${name}\``, count, (count / days).toFixed(2)]);
  rows.push([rows.length === 0 ? "all of them" : "all others", 0, "0.00"]);
  return table(
    ["Detector", `Warnings and criticals in ${(24 * days).toFixed(1)} h`, "A day"],
    rows,
  );
}

async function firstSaid(story: Story, file: string): Promise<Told["found"]> {
  const events = await play(story.attacks, file, story.settings);
  const first = events.find(({ detector }) => detector === story.detector);
  return first ? { severity: first.severity, seconds: first.time - startOf(story.attacks) } : null;
}

async function twinOf({ harmless, behaves, settings }: Story, file: string): Promise<Harmless> {
  const frames = framesOf(behaves);
  const events = await play(behaves, file, settings);
  return { name: harmless, packets: frames.length, seconds: spanOf(frames), events };
}

/** Time of the first packet, UTC seconds. */
function startOf(telling: Telling): number {
  const times = framesOf(telling).map(({ timeUs }) => timeUs);
  return times.reduce((first, time) => Math.min(first, time)) / 1e6;
}
