// SPDX-License-Identifier: AGPL-3.0-or-later
import { Agent, seriesCount, sum } from "./agent.ts";
import type { Bench, Row } from "./bench.ts";
import { Link } from "./link.ts";
import { memoryOf } from "./process.ts";

const SOURCES = 1_000_000;
/** Slow enough that each is captured: every one is a new flow, for every tracker. */
const PER_SECOND = 100_000;
const RESIDENT_BYTES_MAX = 300e6;

interface Snapshot {
  readonly resident: number;
  readonly proportional: number;
  readonly ring: number;
  readonly series: number;
  readonly captured: number;
}

export const memoryBench: Bench = {
  name: "memory",
  what: `resident memory and number of series after ${SOURCES.toLocaleString("en")} random sources`,
  needsRoot: true,
  async run(say) {
    const link = new Link();
    try {
      const agent = await Agent.start(link);
      try {
        const before = await snapshot(agent);
        say(`before: ${describe(before)}`);
        await link.flood(randomSources(), SOURCES, PER_SECOND);
        const after = await snapshot(agent);
        say(`after:  ${describe(after)}`);
        if (after.captured < SOURCES)
          throw new Error(`only ${after.captured} sources were captured`);
        return rows(before, after);
      } finally {
        await agent.stop();
      }
    } finally {
      link.close();
    }
  },
};

async function snapshot(agent: Agent): Promise<Snapshot> {
  const body = await agent.settled();
  const processes = [agent.monitor, agent.sensor].map(memoryOf);
  const total = (field: "resident" | "proportional" | "ring"): number =>
    processes.reduce((bytes, memory) => bytes + memory[field], 0);
  return {
    resident: total("resident"),
    proportional: total("proportional"),
    ring: total("ring"),
    series: seriesCount(body),
    captured: sum(body, "nam_capture_packets_total"),
  };
}

function rows(before: Snapshot, after: Snapshot): Row[] {
  return [
    {
      what: `resident, both processes, after ${SOURCES.toLocaleString("en")} random sources`,
      measured: megabytes(after.resident),
      against: `before: ${megabytes(before.resident)}`,
      ratio: after.resident / before.resident,
      goal: `below ${megabytes(RESIDENT_BYTES_MAX)}`,
      met: after.resident < RESIDENT_BYTES_MAX,
    },
    {
      what: "series exposed",
      measured: String(after.series),
      against: `before: ${before.series}`,
      ratio: after.series / before.series,
      goal: "unchanged",
      met: after.series === before.series,
    },
  ];
}

function describe(taken: Snapshot): string {
  const memory = `${megabytes(taken.resident)} resident (${megabytes(taken.proportional)} proportional)`;
  return `${memory}, ring ${megabytes(taken.ring)}, ${taken.series} series, ${taken.captured} packets captured`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

/** A SYN from a random address and port in every frame. */
function randomSources(): string {
  const ethernet = "eth(da=02:00:00:00:00:0b, sa=02:00:00:00:00:0a)";
  return `{ ${ethernet}, ipv4(sa=drnd(), da=10.77.0.2, ttl=64), tcp(sp=drnd(), dp=443, syn) }`;
}
