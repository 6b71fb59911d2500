// SPDX-License-Identifier: AGPL-3.0-or-later
// Packets through the whole agent: each detector finds its attack, and says nothing of what merely looks like one.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { covert } from "./stories/covert.ts";
import { floods } from "./stories/floods.ts";
import { levels } from "./stories/levels.ts";
import { link } from "./stories/link.ts";
import { names } from "./stories/names.ts";
import { newcomers } from "./stories/newcomers.ts";
import { scans } from "./stories/scans.ts";
import { services } from "./stories/services.ts";
import { play } from "./stories/story.ts";

const folder = mkdtempSync(join(tmpdir(), "nam-stories-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const stories = [
  ...floods,
  ...services,
  ...scans,
  ...link,
  ...names,
  ...covert,
  ...newcomers,
  ...levels,
];

describe.each(stories)("$detector", (story) => {
  const { detector, settings } = story;

  it(`finds ${story.attack}`, async () => {
    const events = await play(story.attacks, join(folder, `${detector}.pcap`), settings);
    expect(events.map((event) => event.detector)).toContain(detector);
  });

  it(`says nothing of ${story.harmless}`, async () => {
    const events = await play(story.behaves, join(folder, `${detector}.pcap`), settings);
    const told = events.filter((event) => event.severity !== "info" || event.detector === detector);
    expect(told.map(({ explanation }) => explanation)).toEqual([]);
  });
});
