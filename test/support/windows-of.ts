// SPDX-License-Identifier: AGPL-3.0-or-later
import { PcapFileSource } from "../../src/capture/pcap-file.ts";
import type { AiSettings } from "../../src/flow/ai/settings.ts";
import type { Window } from "../../src/flow/window.ts";
import { Pipeline } from "../../src/pipeline.ts";
import { createSensorLayouts } from "../../src/sensor-metrics.ts";
import { HOME } from "../decode/decoding.ts";

/** What a sensor hands over of a capture file; `ai` is what the operator says about names of AI. */
export async function windowsOf(path: string, ai?: AiSettings): Promise<Window[]> {
  const windows: Window[] = [];
  const source = new PcapFileSource(path);
  const pipeline = new Pipeline({
    ...{ sensor: 0, source, layouts: createSensorLayouts(), home: HOME, hashSeed: 1 },
    ...{ flowCapacity: 4096, tallyLimit: 10_000, now: null },
    ...(ai === undefined ? {} : { ai }),
    emit: (window) => windows.push(window),
  });
  await source.open();
  await source.run((frame) => pipeline.frame(frame), pipeline.lookAhead);
  pipeline.finish();
  source.close();
  return windows;
}
