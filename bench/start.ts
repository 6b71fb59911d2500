// SPDX-License-Identifier: AGPL-3.0-or-later
import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { MAIN } from "./agent.ts";
import { type Bench, median, type Row } from "./bench.ts";
import { MIX, writeMix } from "./mix.ts";
import { timed } from "./process.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const FEW_PACKETS = join(ROOT, "test/fixtures/pcap/dns.pcap");
const ROUNDS = 7;

/** What a start gains by the code cache of the build. */
export const startBench: Bench = {
  name: "start",
  what: "wall time of whole commands, with the code cache of the build and without",
  needsRoot: false,
  async run(say) {
    writeMix(MIX);
    const folder = mkdtempSync(join(tmpdir(), "nam-start-"));
    try {
      const without = withoutCache(folder);
      const rows: Row[] = [];
      for (const [what, args] of [
        ["--help", ["--help"]],
        ["replay of a few packets", ["replay", FEW_PACKETS]],
        [`replay of ${MIX.packets.toLocaleString("en")} packets`, ["replay", MIX.path]],
      ] as const) {
        say(`${ROUNDS} rounds of ${what}`);
        rows.push(row(what, await race(args, without)));
      }
      return rows;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** The same build without its cache. */
function withoutCache(folder: string): string {
  const dist = join(folder, "dist");
  cpSync(dirname(MAIN), dist, { recursive: true });
  for (const name of readdirSync(dist)) if (name.endsWith(".cache")) rmSync(join(dist, name));
  for (const name of ["node_modules", "package.json"])
    symlinkSync(join(ROOT, name), join(folder, name));
  return join(dist, "main.js");
}

/** Median seconds with and without; they take turns. */
async function race(args: readonly string[], without: string): Promise<[number, number]> {
  const seconds: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [side, main] of [MAIN, without].entries()) {
      const { wallSeconds } = await timed(process.execPath, [main, ...args]);
      seconds[side]?.push(wallSeconds);
    }
  }
  return [median(seconds[0]), median(seconds[1])];
}

function row(what: string, [cached, uncached]: [number, number]): Row {
  const ratio = cached / uncached;
  return {
    ...{ what, measured: `${cached.toFixed(2)} s`, ratio, goal: "faster", met: ratio < 1 },
    against: `without: ${uncached.toFixed(2)} s`,
  };
}
