// SPDX-License-Identifier: AGPL-3.0-or-later
import { join } from "node:path";
import { expect, test } from "vitest";
import { PcapFileSource } from "../../src/capture/pcap-file.ts";
import { tallyOverflow } from "../../src/flow/tally.ts";
import type { Window } from "../../src/flow/window.ts";
import { Pipeline } from "../../src/pipeline.ts";
import { createSensorLayouts } from "../../src/sensor-metrics.ts";
import { root } from "../support/project.ts";

/** Names the lists hold, and names that found them full, over all windows of the DNS fixture. */
async function dnsNames(tallyLimit: number): Promise<{ kept: number; left: number }> {
  const source = new PcapFileSource(join(root, "test/fixtures/pcap/dns.pcap"));
  const layouts = createSensorLayouts();
  const windows: Window[] = [];
  const pipeline = new Pipeline({
    ...{ sensor: 0, source, layouts, home: [], hashSeed: 1, flowCapacity: 1024, tallyLimit },
    ...{ now: null, emit: (window: Window) => windows.push(window) },
  });
  await source.open();
  await source.run((frame) => pipeline.frame(frame));
  pipeline.finish();
  source.close();
  const cell = layouts.counters.base(tallyOverflow);
  const names = windows.flatMap(({ tallies }) => tallies["dns.names"] ?? []);
  return {
    kept: names.reduce((sum, [, count]) => sum + count, 0),
    left: windows.reduce((sum, { counters }) => sum + (counters[cell] ?? 0), 0),
  };
}

test("a name that finds its list full is counted instead of kept", async () => {
  const all = await dnsNames(1000);
  expect(all.left).toBe(0);
  expect(all.kept).toBeGreaterThan(1);
  const none = await dnsNames(0);
  expect(none).toEqual({ kept: 0, left: all.kept });
});
