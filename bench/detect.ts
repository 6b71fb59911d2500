// SPDX-License-Identifier: AGPL-3.0-or-later

import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { detectors } from "../src/detect/all.ts";
import { DetectionEngine } from "../src/detect/engine.ts";
import { CellLayout } from "../src/metrics/cells.ts";
import type { MetricDefinition, SignalDefinition } from "../src/metrics/metric.ts";
import { MetricsRegistry } from "../src/metrics/registry.ts";
import { randomOf } from "../test/support/detection-bench.ts";
import {
  arpRow,
  contactRow,
  handshakeRow,
  makeWindow,
  START_MS,
  type WindowParts,
} from "../test/support/windows.ts";
import { type Bench, median, quantile, type Row } from "./bench.ts";

const SIGNALS = 200;
/** Entities in each tick's rows: about the most that the trackers hand over. */
const ROWS = 200;
const COLD_TICKS = 20;
const WARM_TICKS = 700;
const TICKS = 2_000;
const TICK_MS_MAX = 20;
const MEMORY_BYTES_MAX = 64 * 1024 * 1024;

const values = Array.from({ length: SIGNALS }, (_, at) => `s${at}`);
const family: MetricDefinition = {
  name: "nam_bench_packets_total",
  help: "Packets of the benchmark.",
  type: "counter",
  labels: { protocol: values },
};
const signals: readonly SignalDefinition[] = values.map((protocol) => ({
  name: protocol,
  help: protocol,
  metric: family,
  where: { protocol },
  unit: "packets",
}));

/** Cost of one tick of the whole detection stage, and of what it remembers. */
export const detectBench: Bench = {
  name: "detect",
  what: `${detectors.length} detectors over ${SIGNALS} signals, milliseconds a tick`,
  needsRoot: false,
  async run(say) {
    const collectGarbage = garbageCollector();
    const before = await held(collectGarbage);
    const layout = new CellLayout([family]);
    const engine = new DetectionEngine({
      layout,
      signals,
      detectors,
      settings: {},
      registry: new MetricsRegistry({ seriesBudget: 100_000 }),
      context: { isHome: (address) => address.startsWith("10.") },
      agent: "bench",
    });
    const windows = windowsOf(layout.size);
    const timed = (from: number, ticks: number): number[] =>
      Array.from({ length: ticks }, (_, at) => {
        const window = windows(from + at);
        const started = performance.now();
        engine.tick(window, null);
        return performance.now() - started;
      });
    const cold = timed(0, COLD_TICKS);
    timed(COLD_TICKS, WARM_TICKS);
    const times = timed(COLD_TICKS + WARM_TICKS, TICKS);
    const bytes = (await held(collectGarbage)) - before;
    say(`the first ${COLD_TICKS}, before the code is compiled: ${sum(cold).toFixed(0)} ms in all`);
    say(`median ${median(times).toFixed(2)} ms, p99 ${quantile(times, 0.99).toFixed(2)} ms`);
    // Named once more after the measurement, so that it is not collected before.
    say(`${engine.signals().length} baselines in ${(bytes / 1e6).toFixed(1)} MB`);
    return rows(times, bytes);
  },
};

function rows(times: readonly number[], bytes: number): Row[] {
  const tick = quantile(times, 0.99);
  return [
    {
      what: `a tick of ${detectors.length} detectors and ${SIGNALS} signals (p99)`,
      measured: `${tick.toFixed(2)} ms`,
      against: "",
      ratio: null,
      goal: `≤ ${TICK_MS_MAX} ms`,
      met: tick <= TICK_MS_MAX,
    },
    {
      what: `what they remember after ${TICKS} ticks of ${ROWS} sources each`,
      measured: `${(bytes / 1e6).toFixed(1)} MB`,
      against: "",
      ratio: null,
      goal: `≤ ${MEMORY_BYTES_MAX / 1024 / 1024} MiB`,
      met: bytes > 0 && bytes <= MEMORY_BYTES_MAX,
    },
  ];
}

/** Windows with noise on every signal, and with new sources and services in every tick. */
function windowsOf(cells: number): (at: number) => ReturnType<typeof makeWindow> {
  const random = randomOf(1);
  return (at) => {
    const counters = Float64Array.from({ length: cells }, () => Math.round(100 + 20 * random()));
    const address = (row: number): string => `198.${18 + (at % 2)}.${(at * 7) % 256}.${row % 256}`;
    const list = Array.from({ length: ROWS }, (_, row) => row);
    const parts: WindowParts = {
      startMs: START_MS + at * 1000,
      counters,
      contacts: list.map((row) =>
        contactRow({ source: address(row), contacts: 5, successes: 4, refused: 1, ports: 5 }),
      ),
      handshakes: list.map((row) =>
        handshakeRow({ port: 1000 + row, syn: 20, synAck: 20, established: 20, sources: 9 }),
      ),
      arp: list.slice(0, 20).map((row) => arpRow({ address: `10.0.0.${row}`, mac: macOf(row) })),
    };
    return makeWindow(parts);
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function macOf(row: number): string {
  return `02:00:00:00:00:${row.toString(16).padStart(2, "0")}`;
}

/** Bytes in use. What earlier benches left is freed in the background, hence the second look. */
async function held(collectGarbage: () => void): Promise<number> {
  collectGarbage();
  await setImmediate();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}
