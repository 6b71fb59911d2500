// SPDX-License-Identifier: AGPL-3.0-or-later
// The short way of packets of known flows counts what the long way counts, whatever the packets look like.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import { type Random, seededRandom } from "../../scripts/fixtures/bytes.ts";
import { emptyFrame, type Frame } from "../../src/capture/source.ts";
import { answeredCaptures, readCapture } from "../decode/captures.ts";
import { root } from "../support/project.ts";
import { sharedData } from "../support/shared-data.ts";
import { TwoWays } from "./two-ways.ts";

const FRAMES = Number(process.env.NAM_FUZZ_FRAMES ?? 400_000);
const SEED = Number(process.env.NAM_FUZZ_SEED ?? 1);
const COMPARE_EVERY = 20_000;
/** Headers, and a little of what follows them. */
const MUTATED_BYTES = 70;

const fixtures = join(root, "test/fixtures/pcap");
const data = sharedData();
const captures = [
  ...readdirSync(fixtures).map((name) => join(fixtures, name)),
  ...(data === null ? [] : answeredCaptures(data).map((name) => join(data, name))),
];

interface Seed {
  readonly content: Uint8Array;
  readonly linkType: number;
}

describe("the short way", () => {
  it("counts what the long way counts, over every capture", async () => {
    const ways = new TwoWays();
    for (const capture of captures) {
      await readCapture(capture, (frame) => ways.frame(frame)).catch(() => {});
      expectSame(ways, capture);
    }
    if (data !== null) expect(ways.short).toBeGreaterThan(5_000);
  });

  it(`does so over ${FRAMES} frames that come again and again, some of them changed`, async () => {
    const seeds = await readSeeds(captures);
    const random = seededRandom(SEED);
    const ways = new TwoWays();
    const frame = emptyFrame();
    let timeUs = 1.7e15;
    for (let count = 1; count <= FRAMES; count++) {
      // Neighbours of one capture, so that flows are known when their packets come again.
      const around = Math.floor(count / COMPARE_EVERY) * 977 + random(300);
      change(frame, seeds[around % seeds.length] as Seed, random);
      timeUs += random(2000) === 0 ? random(2_000_000) : random(500);
      frame.seconds = Math.floor(timeUs / 1e6);
      frame.nanoseconds = (timeUs % 1e6) * 1000;
      ways.frame(frame);
      if (count % COMPARE_EVERY === 0 || count === FRAMES) {
        expectSame(ways, `seed ${SEED}, up to frame ${count}`);
      }
    }
    expect(ways.short).toBeGreaterThan(FRAMES / 20);
    expect(ways.short).toBeLessThan(FRAMES);
  });
});

function expectSame(ways: TwoWays, what: string): void {
  const [either, long] = ways.windows();
  // The matcher is slow where nothing differs, and says what differs.
  if (!isDeepStrictEqual(either, long)) expect(either, what).toEqual(long);
}

async function readSeeds(paths: readonly string[]): Promise<Seed[]> {
  const seeds: Seed[] = [];
  for (const path of paths) {
    let taken = 0;
    await readCapture(path, ({ view, start, end, linkType }) => {
      if (taken++ > 200) return;
      seeds.push({ content: new Uint8Array(view.buffer.slice(start, end)), linkType });
    }).catch(() => {});
  }
  return seeds;
}

/** Makes the frame one of the seed's, in one of three cases with up to two bytes of its headers changed, or cut. */
function change(frame: Frame, seed: Seed, random: Random): void {
  const content = seed.content.slice();
  let length = content.length;
  if (random(3) === 0) {
    for (let edits = random(3); edits > 0; edits--) {
      const at = random(Math.min(MUTATED_BYTES, content.length) || 1);
      content[at] = random(2) === 0 ? random(256) : (content[at] ?? 0) ^ (1 << random(8));
    }
    if (random(4) === 0) length = random(length + 1);
  }
  frame.view = new DataView(content.buffer, 0, length);
  frame.start = 0;
  frame.end = length;
  frame.wireLength = random(8) === 0 ? content.length + random(64) : content.length;
  frame.linkType = seed.linkType;
  frame.vlanTci = random(40) === 0 ? random(4096) : -1;
  frame.direction = random(3);
}
