// SPDX-License-Identifier: AGPL-3.0-or-later
// Harmless traffic, as packets through the whole pipeline of a fresh agent: no warning, no critical.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { benignStories, replayStory } from "../../scripts/eval/benign.ts";

/** Stories of few packets of which each was a false alarm once; `npm run eval` tells all of them. */
const TOLD = [
  "mail clients that look every minute, 25 min",
  "laptop that wakes up",
  "uplink that is gone for two minutes",
  "short commands over SSH",
  "health checks of a cluster, 6 min",
  "log and metric messages that nobody answers",
  "DNS resolver of thousands of clients",
  "quiet host that begins to work after 11 min",
];

const folder = mkdtempSync(join(tmpdir(), "nam-benign-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("harmless traffic raises no alarm", () => {
  it.each(TOLD)("%s", { timeout: 60_000 }, async (name) => {
    const seed = benignStories.findIndex((story) => story.name === name);
    const story = benignStories[seed];
    if (!story) throw new Error(`no story ${name}`);
    const { packets, events } = await replayStory(story, seed + 1, folder);
    expect(packets).toBeGreaterThan(500);
    const alarms = events.filter(({ severity }) => severity !== "info");
    expect(alarms.map(({ detector, explanation }) => `${detector}: ${explanation}`)).toEqual([]);
  });
});
