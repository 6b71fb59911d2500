// SPDX-License-Identifier: AGPL-3.0-or-later
import { beacon } from "../../src/detect/beacon.ts";
import type { TrackerRows } from "../../src/flow/window.ts";
import { DetectionBench, randomOf } from "../../test/support/detection-bench.ts";
import { percent, quantileText, table } from "./section.ts";
import { gaussian } from "./traffic.ts";

type Row = TrackerRows["beacons"][number];

const RUNS = 200;
/** Intervals that the tracker keeps. */
const KEPT = 32;
const CONNECTIONS = 100;
const BENIGN_PAIRS = 20_000;

/** How many of a beacon's first hundred calls it takes until it is told. */
export function beaconTable(): string {
  const rows = [10, 60, 600].flatMap((period) =>
    [0, 0.2, 0.3, 0.5].map((jitter) => {
      const random = randomOf(1000 * period + Math.round(100 * jitter));
      const found = Array.from({ length: RUNS }, () =>
        callsUntilTold(() => 1000 * period * (1 + jitter * (2 * random() - 1))),
      ).filter((calls) => calls !== null);
      return [
        `${period} s`,
        `±${100 * jitter} %`,
        percent(found.length, RUNS),
        `${quantileText(found, 0.5, "")} / ${quantileText(found, 0.95, "")}`,
      ];
    }),
  );
  return table(["Period", "Jitter", "Told in 100 calls", "Calls, median / p95"], rows);
}

/** What comes by chance, or in sessions of a person, and is told as a beacon all the same. */
export function chanceTable(): string {
  const random = randomOf(91);
  const kinds: readonly (readonly [string, () => number])[] = [
    ["by chance, 20 s on average", () => 1000 - 20_000 * Math.log(1 - random())],
    [
      "sessions of a person: pages 3 to 60 s apart, breaks of 5 min to hours",
      () => 1000 * (random() < 0.1 ? 300 + 7200 * random() ** 3 : 3 + 57 * random() ** 2),
    ],
    ["gaps of a person: log-normal, 20 s in the middle", () => 20_000 * Math.exp(gaussian(random))],
    ["evenly spread, 1 to 60 s", () => 1000 + 59_000 * random()],
  ];
  const rows = kinds.map(([name, interval]) => {
    let told = 0;
    for (let pair = 0; pair < BENIGN_PAIRS; pair++) {
      if (callsUntilTold(interval) !== null) told++;
    }
    return [name, BENIGN_PAIRS, told];
  });
  return table(["Connections", "Pairs of 100 each", "Told"], rows);
}

function callsUntilTold(interval: () => number): number | null {
  const detector = new DetectionBench({ detectors: [beacon], protocols: 0 });
  const intervalsMs: number[] = [];
  for (let calls = 2; calls <= CONNECTIONS; calls++) {
    intervalsMs.push(interval());
    // Before that nothing can be told, and between it the kept intervals move on one by one.
    if (calls < 17 || calls % 4 !== 1) continue;
    const row: Row = {
      ...{ client: "10.0.0.5", server: "198.51.100.7", port: 443, protocol: "tcp" },
      ...{ connections: calls, intervalsMs: intervalsMs.slice(-KEPT) },
    };
    if (detector.step({ rows: { beacons: [row] } }).length > 0) return calls;
  }
  return null;
}
