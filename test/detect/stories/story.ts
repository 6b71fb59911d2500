// SPDX-License-Identifier: AGPL-3.0-or-later
// Stories told in packets: an attack, and what looks like it and is none.
import { writeFileSync } from "node:fs";
import { pcap, type Recorded } from "../../../scripts/fixtures/capture-file.ts";
import { Scene } from "../../../scripts/fixtures/scene.ts";
import { loadConfig } from "../../../src/config/load.ts";
import type { Anomaly } from "../../../src/detect/detector.ts";
import type { DetectSettings } from "../../../src/detect/settings.ts";
import { Replay } from "../../../src/replay.ts";
import { createLog } from "../../../src/util/log.ts";

export type Telling = (scene: Scene) => void;

export interface Story {
  readonly detector: string;
  /** What the attacker does. */
  readonly attack: string;
  readonly attacks: Telling;
  /** What looks like it and must not be told. */
  readonly harmless: string;
  readonly behaves: Telling;
  /** Other settings than the defaults, where it would take long to learn or gigabytes to attack. */
  readonly settings?: DetectSettings;
}

/** What is told, as frames. */
export function framesOf(telling: Telling): readonly Recorded[] {
  const scene = new Scene(4);
  telling(scene);
  return scene.frames;
}

/** Writes what is told as a capture file, and returns everything a fresh agent with default settings says of it. */
export async function play(
  telling: Telling,
  path: string,
  settings: DetectSettings = {},
): Promise<readonly Anomaly[]> {
  writeFileSync(path, pcap(framesOf(telling)));
  const { config } = loadConfig({ env: {}, flags: [] });
  const replay = new Replay({
    detect: { ...config.detectors, ...settings },
    home: config.networks.home,
    agent: "story",
    flowCapacity: 32_768,
    top: 10,
    speed: null,
    log: createLog({ level: "silent", format: "json" }),
  });
  const { report } = await replay.run([path]);
  return report.events;
}
