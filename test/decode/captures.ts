// SPDX-License-Identifier: AGPL-3.0-or-later
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { PcapFileSource } from "../../src/capture/pcap-file.ts";
import type { Frame } from "../../src/capture/source.ts";

const ANSWER = ".ref.json";

/** Captures below `folder` that have a reference answer, as paths relative to it, sorted. */
export function answeredCaptures(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ANSWER))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).slice(0, -ANSWER.length))
    .sort();
}

export function answerPath(capture: string): string {
  return `${capture}${ANSWER}`;
}

/** Gives every frame of a capture file to `take`. */
export async function readCapture(path: string, take: (frame: Frame) => void): Promise<void> {
  const source = new PcapFileSource(path);
  await source.open();
  try {
    await source.run(take);
  } finally {
    source.close();
  }
}
