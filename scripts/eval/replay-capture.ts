// SPDX-License-Identifier: AGPL-3.0-or-later
import { loadConfig } from "../../src/config/load.ts";
import { Replay } from "../../src/replay.ts";
import type { Report } from "../../src/report.ts";
import { createLog } from "../../src/util/log.ts";

/** Replays a capture into a fresh agent with default settings. */
export async function replayCapture(file: string): Promise<Report> {
  const { config } = loadConfig({ env: {}, flags: [] });
  const replay = new Replay({
    detect: config.detectors,
    home: config.networks.home,
    agent: "eval",
    flowCapacity: config.flow.capacity,
    top: 10,
    speed: null,
    log: createLog({ level: "silent", format: "json" }),
  });
  const { report } = await replay.run([file]);
  return report;
}
