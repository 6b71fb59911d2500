// SPDX-License-Identifier: AGPL-3.0-or-later
// npm run bench [-- NAME… --json --readme]: measures and prints ratios; without names, everything.
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { MAIN } from "./agent.ts";
import type { Bench, Row } from "./bench.ts";
import { decodeBench } from "./decode.ts";
import { detectBench } from "./detect.ts";
import { flowBench } from "./flow.ts";
import { liveBench } from "./live.ts";
import { memoryBench } from "./memory.ts";
import { table, writeReadme } from "./readme.ts";
import { replayBench } from "./replay.ts";
import { saveBench } from "./save.ts";
import { startBench } from "./start.ts";
import { waysBench } from "./ways.ts";

const BENCHES: readonly Bench[] = [
  replayBench,
  liveBench,
  memoryBench,
  decodeBench,
  flowBench,
  waysBench,
  detectBench,
  saveBench,
  startBench,
];

await main();

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: "boolean" }, readme: { type: "boolean" } },
  });
  const chosen = choose(positionals);
  if (!existsSync(MAIN)) throw new Error("dist/ is missing: run npm run build first");
  const rows: Row[] = [];
  for (const bench of chosen) {
    console.error(`\n== ${bench.name}: ${bench.what}`);
    rows.push(...(await bench.run((line) => console.error(`   ${line}`))));
  }
  console.log(values.json ? JSON.stringify(rows, null, 2) : `\n${table(rows)}`);
  if (values.readme) writeReadme(rows);
  if (rows.some((row) => !row.met)) process.exitCode = 1;
}

function choose(names: readonly string[]): readonly Bench[] {
  const known = BENCHES.map((bench) => bench.name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`no such benchmark: ${unknown}; there are ${known}`);
  const chosen =
    names.length === 0 ? BENCHES : BENCHES.filter((bench) => names.includes(bench.name));
  if (process.getuid?.() === 0) return chosen;
  for (const bench of chosen.filter((one) => one.needsRoot))
    console.error(`${bench.name}: skipped, needs root`);
  return chosen.filter((bench) => !bench.needsRoot);
}
