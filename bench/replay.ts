// SPDX-License-Identifier: AGPL-3.0-or-later
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MAIN } from "./agent.ts";
import { type Bench, median, type Row } from "./bench.ts";
import { MIX, writeMix } from "./mix.ts";
import { timed } from "./process.ts";

const ROUNDS = 5;
/** How many times as long as each contender replay may take. */
const TIMES_MAX: Readonly<Record<string, number>> = { tcpdump: 3, ndpiReader: 1 / 6 };

/** What replay is held against: reading alone, three flow meters, and a recogniser of applications. Each gets room for every flow. */
function contenders(folder: string): Record<string, readonly [string, ...string[]]> {
  return {
    nam: [process.execPath, MAIN, "replay", MIX.path],
    tcpdump: ["tcpdump", "-nr", MIX.path, "-w", "/dev/null"],
    nfpcapd: ["nfpcapd", "-r", MIX.path, "-l", folder],
    softflowd: ["softflowd", "-r", MIX.path, "-m", "262144", "-n", "127.0.0.1:39995"],
    argus: ["argus", "-X", "-r", MIX.path, "-w", "/dev/null"],
    ndpiReader: ["ndpiReader", "-q", "-i", MIX.path],
  };
}

export const replayBench: Bench = {
  name: "replay",
  what: `wall time over a capture of ${MIX.packets.toLocaleString("en")} packets in ${MIX.flows.toLocaleString("en")} flows`,
  needsRoot: false,
  async run(say) {
    say("writing the capture, unless it is there already (746 MB)");
    writeMix(MIX);
    const folder = mkdtempSync(join(tmpdir(), "nam-bench-"));
    try {
      return rows(await race(contenders(folder), say));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** Median seconds of each contender; they take turns, so that a slow moment of the machine hits all alike. */
async function race(
  commands: Record<string, readonly [string, ...string[]]>,
  say: (line: string) => void,
): Promise<Record<string, number>> {
  const seconds: Record<string, number[]> = {};
  for (let round = 1; round <= ROUNDS; round++) {
    for (const [name, [command, ...args]] of Object.entries(commands)) {
      const { wallSeconds } = await timed(command, args);
      seconds[name] = [...(seconds[name] ?? []), wallSeconds];
    }
    const line = Object.entries(seconds).map(
      ([name, values]) => `${name} ${values.at(-1)?.toFixed(2)} s`,
    );
    say(`round ${round} of ${ROUNDS}: ${line.join(", ")}`);
  }
  return Object.fromEntries(
    Object.entries(seconds).map(([name, values]) => [name, median(values)]),
  );
}

function rows(seconds: Record<string, number>): Row[] {
  const own = seconds.nam ?? Number.NaN;
  return Object.entries(seconds)
    .filter(([name]) => name !== "nam")
    .map(([name, theirs]) => {
      const limit = TIMES_MAX[name] ?? 1;
      const ratio = own / theirs;
      return {
        what: "replay, wall time",
        measured: `${own.toFixed(2)} s`,
        against: `${name}: ${theirs.toFixed(2)} s`,
        ratio,
        goal: goalOf(limit),
        met: ratio <= limit,
      };
    });
}

function goalOf(limit: number): string {
  if (limit === 1) return "faster";
  return limit < 1 ? `${Math.round(1 / limit)} × faster` : `at most ${limit} ×`;
}
