// SPDX-License-Identifier: AGPL-3.0-or-later
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Agent, sum } from "./agent.ts";
import { type Bench, median, quantile, type Row } from "./bench.ts";
import { Link } from "./link.ts";
import { cpuSeconds, pause } from "./process.ts";

const PACKETS = 2_000_000;
const ROUNDS = 5;
const TIMES_LESS_CPU_MIN = 8;
const SCRAPE_SECONDS_MAX = 0.05;
const SETTLE_MS = 2000;
const CAP_COUNTER = fileURLToPath(new URL("cap-counter.mjs", import.meta.url));

interface Result {
  /** Of the frames that were captured, so that losing frames makes nobody faster. */
  readonly nanosecondsPerPacket: number;
  readonly lossShare: number;
  readonly packetsPerSecond: number;
  readonly scrapes: readonly number[];
}

export const liveBench: Bench = {
  name: "live",
  what: `CPU per packet and loss on a live interface, ${PACKETS.toLocaleString("en")} frames of 100 bytes a round`,
  needsRoot: true,
  async run(say) {
    const link = new Link();
    try {
      const agent = await measureAgent(link, say);
      const cap = await measureCap(link, say);
      return rows(agent, cap);
    } finally {
      link.close();
    }
  },
};

async function measureAgent(link: Link, say: (line: string) => void): Promise<Result> {
  const agent = await Agent.start(link);
  const cpu: number[] = [];
  const rates: number[] = [];
  const scrapes: number[] = [];
  let lost = 0;
  try {
    for (let round = 1; round <= ROUNDS; round++) {
      const before = countsOf(await agent.settled());
      const cpuBefore = cpuSeconds(agent.sensor);
      const flood = link.flood(mixedFrames(), PACKETS);
      scrapes.push(...(await agent.scrapeDuring(flood)));
      const after = countsOf(await agent.accounted(before.captured + before.dropped + PACKETS));
      const captured = after.captured - before.captured;
      cpu.push(((cpuSeconds(agent.sensor) - cpuBefore) / captured) * 1e9);
      rates.push(await flood);
      lost += PACKETS - captured;
      const dropped = after.dropped - before.dropped;
      say(
        `nam ${round}/${ROUNDS}: ${cpu.at(-1)?.toFixed(0)} ns/packet, ${dropped} dropped by its own count`,
      );
    }
  } finally {
    await agent.stop();
  }
  return {
    nanosecondsPerPacket: median(cpu),
    lossShare: lost / (PACKETS * ROUNDS),
    packetsPerSecond: median(rates),
    scrapes,
  };
}

function countsOf(scrape: string): { captured: number; dropped: number } {
  return {
    captured: sum(scrape, "nam_capture_packets_total"),
    dropped: sum(scrape, "nam_capture_dropped_packets_total"),
  };
}

async function measureCap(link: Link, say: (line: string) => void): Promise<Result> {
  const cpu: number[] = [];
  const rates: number[] = [];
  let lost = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    const child = link.spawn(process.execPath, [CAP_COUNTER, link.inlet], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout?.on("data", (data) => {
      output += data;
    });
    if (child.stdout) await once(child.stdout, "data");
    const before = cpuSeconds(child.pid ?? 0);
    rates.push(await link.flood(mixedFrames(), PACKETS));
    await pause(SETTLE_MS);
    const used = cpuSeconds(child.pid ?? 0) - before;
    child.kill("SIGTERM");
    await once(child, "close");
    const captured = Number(output.split("\n")[1]);
    cpu.push((used / captured) * 1e9);
    lost += PACKETS - captured;
    say(`cap ${round}/${ROUNDS}: ${cpu.at(-1)?.toFixed(0)} ns/packet, ${PACKETS - captured} lost`);
  }
  return {
    nanosecondsPerPacket: median(cpu),
    lossShare: lost / (PACKETS * ROUNDS),
    packetsPerSecond: median(rates),
    scrapes: [],
  };
}

function rows(agent: Result, cap: Result): Row[] {
  const ratio = cap.nanosecondsPerPacket / agent.nanosecondsPerPacket;
  const milliseconds = (share: number): string =>
    `${(quantile(agent.scrapes, share) * 1000).toFixed(1)} ms`;
  return [
    {
      what: "live ring, whole pipeline, CPU per packet",
      measured: `${agent.nanosecondsPerPacket.toFixed(0)} ns`,
      against: `cap, trivial handler: ${cap.nanosecondsPerPacket.toFixed(0)} ns`,
      ratio,
      goal: `at least ${TIMES_LESS_CPU_MIN} × less`,
      met: ratio >= TIMES_LESS_CPU_MIN,
    },
    {
      what: `loss at ${Math.round(agent.packetsPerSecond / 1000)},000 packets/s`,
      measured: percent(agent.lossShare),
      against: `cap: ${percent(cap.lossShare)} (uncounted by it)`,
      ratio: null,
      goal: "none",
      met: agent.lossShare === 0,
    },
    {
      what: "scrape meanwhile, p50 / p99 / slowest",
      measured: `${milliseconds(0.5)} / ${milliseconds(0.99)} / ${milliseconds(1)}`,
      against: "",
      ratio: null,
      goal: `below ${SCRAPE_SECONDS_MAX * 1000} ms`,
      met: quantile(agent.scrapes, 1) < SCRAPE_SECONDS_MAX,
    },
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share === 0 ? 0 : 3)} %`;
}

/** trafgen's description of 64 frames of 100 bytes in as many flows, half TCP and half UDP, to eight services. */
function mixedFrames(): string {
  const services = { tcp: [443, 80, 22, 8080], udp: [123, 500, 4500, 9000] };
  const ends =
    "eth(da=02:00:00:00:00:0b, sa=02:00:00:00:00:0a), ipv4(sa=10.77.0.1, da=10.77.0.2, ttl=64)";
  return Array.from({ length: 64 }, (_, at) => {
    const port = (protocol: "tcp" | "udp"): string =>
      `sp=${40000 + at}, dp=${services[protocol][(at >> 1) % 4]}`;
    return at % 2 === 0
      ? `{ ${ends}, tcp(${port("tcp")}, ack), fill(0x41, 46) }`
      : `{ ${ends}, udp(${port("udp")}), fill(0x41, 58) }`;
  }).join("\n");
}
