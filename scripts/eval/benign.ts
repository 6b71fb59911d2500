// SPDX-License-Identifier: AGPL-3.0-or-later
// Harmless traffic that looks like something else, as packets, through the whole pipeline.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Anomaly, SEVERITIES } from "../../src/detect/detector.ts";
import { pcap } from "../fixtures/capture-file.ts";
import { Scene } from "../fixtures/scene.ts";
import { clientStories } from "./benign/clients.ts";
import type { BenignStory } from "./benign/network.ts";
import { operationStories } from "./benign/operations.ts";
import { serverStories } from "./benign/servers.ts";
import { replayCapture } from "./replay-capture.ts";
import { spanOf, table } from "./section.ts";

export const benignStories: readonly BenignStory[] = [
  ...clientStories,
  ...serverStories,
  ...operationStories,
];

/** Harmless traffic, and what a fresh agent said of it. */
export interface Harmless {
  readonly name: string;
  readonly packets: number;
  /** From the first packet to the last. */
  readonly seconds: number;
  readonly events: readonly Anomaly[];
}

/** Plays every story into a fresh agent at its defaults; `folder` is for the captures. */
export async function playBenign(folder: string): Promise<Harmless[]> {
  const played: Harmless[] = [];
  for (const [seed, story] of benignStories.entries()) {
    played.push({ name: story.name, ...(await replayStory(story, seed + 1, folder)) });
  }
  return played;
}

/** What was said of every story. */
export function benignTable(played: readonly Harmless[]): string {
  const rows = played.map(({ name, packets, events }) => [
    name,
    packets,
    ...SEVERITIES.map((severity) => told(events, severity)),
  ]);
  return table(["Harmless traffic", "Packets", "Info", "Warning", "Critical"], rows);
}

/** Replays a story into a fresh agent; `folder` is for the capture. */
export async function replayStory(
  story: BenignStory,
  seed: number,
  folder: string,
): Promise<Omit<Harmless, "name">> {
  const scene = new Scene(seed);
  story.tell(scene);
  const file = join(folder, "story.pcap");
  writeFileSync(file, pcap(scene.frames));
  const report = await replayCapture(file);
  return { packets: scene.frames.length, seconds: spanOf(scene.frames), events: report.events };
}

/** Detectors that opened anomalies of this severity, with how many; an anomaly counts at its worst. */
function told(events: readonly Anomaly[], severity: string): string {
  const worst = new Map<string, Anomaly>();
  for (const event of events) worst.set(event.id, event);
  const counts = new Map<string, number>();
  for (const { detector, severity: own } of worst.values()) {
    if (own === severity) counts.set(detector, (counts.get(detector) ?? 0) + 1);
  }
  const names = [...counts].map(([name, count]) => (count > 1 ? `${name} × ${count}` : name));
  return names.length === 0 ? "–" : names.join(", ");
}
