// SPDX-License-Identifier: AGPL-3.0-or-later
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Agent, sum } from "./agent.ts";
import { type Bench, median, quantile, type Row } from "./bench.ts";
import { Link } from "./link.ts";
import { cpuSeconds, pause } from "./process.ts";

const PACKETS = 2_000_000;
const ROUNDS = 5;
/**
 * CPU is compared at a rate that both can take, because a reader that loses packets does not pay for them and one that
 * is always behind never waits, and at the fastest rate, where loss is compared as well.
 */
const COMPARED_PER_SECOND = 500_000;
const TIMES_LESS_CPU_MIN = 8;
const SCRAPE_SECONDS_MAX = 0.05;
const SETTLE_MS = 2000;
const CAP_COUNTER = fileURLToPath(new URL("cap-counter.mjs", import.meta.url));

interface Round {
  /** CPU of the process that reads, for each packet it got. */
  readonly nanosecondsPerPacket: number;
  readonly lost: number;
  readonly packetsPerSecond: number;
  readonly scrapes: readonly number[];
}

interface Result {
  readonly compared: readonly Round[];
  readonly fastest: readonly Round[];
}

export const liveBench: Bench = {
  name: "live",
  what: `CPU per packet and loss on a live interface, ${PACKETS.toLocaleString("en")} frames of 100 bytes a round`,
  needsRoot: true,
  async run(say) {
    const link = new Link();
    try {
      const agent = await Agent.start(link);
      const own = await measure("nam", (rate) => agentRound(agent, link, rate), say).finally(() =>
        agent.stop(),
      );
      return rows(own, await measure("cap", (rate) => capRound(link, rate), say));
    } finally {
      link.close();
    }
  },
};

async function measure(
  name: string,
  round: (perSecond?: number) => Promise<Round>,
  say: (line: string) => void,
): Promise<Result> {
  // An agent runs for weeks: what the compiler does in the first seconds is not its cost.
  await round(COMPARED_PER_SECOND);
  const rounds = async (perSecond?: number): Promise<Round[]> => {
    const done: Round[] = [];
    while (done.length < ROUNDS) {
      const result = await round(perSecond);
      done.push(result);
      const { nanosecondsPerPacket, packetsPerSecond, lost } = result;
      const rate = `${Math.round(packetsPerSecond).toLocaleString("en")} packets/s`;
      say(`${name} at ${rate}: ${nanosecondsPerPacket.toFixed(0)} ns/packet, ${lost} lost`);
    }
    return done;
  };
  return { compared: await rounds(COMPARED_PER_SECOND), fastest: await rounds() };
}

async function agentRound(agent: Agent, link: Link, perSecond?: number): Promise<Round> {
  const before = countsOf(await agent.settled());
  const cpuBefore = cpuSeconds(agent.sensor);
  const flood = link.flood(mixedFrames(), PACKETS, perSecond);
  const scrapes = await agent.scrapeDuring(flood);
  const after = countsOf(await agent.accounted(before.captured + before.dropped + PACKETS));
  const captured = after.captured - before.captured;
  return {
    nanosecondsPerPacket: ((cpuSeconds(agent.sensor) - cpuBefore) / captured) * 1e9,
    lost: PACKETS - captured,
    packetsPerSecond: await flood,
    scrapes,
  };
}

function countsOf(scrape: string): { captured: number; dropped: number } {
  return {
    captured: sum(scrape, "nam_capture_packets_total"),
    dropped: sum(scrape, "nam_capture_dropped_packets_total"),
  };
}

async function capRound(link: Link, perSecond?: number): Promise<Round> {
  const child = link.spawn(process.execPath, [CAP_COUNTER, link.inlet], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const broken = once(child, "close").then(() => {
    throw new Error("the package cap does not load: install libpcap-dev and run npm rebuild cap");
  });
  let output = "";
  child.stdout?.on("data", (data) => {
    output += data;
  });
  if (child.stdout) await Promise.race([once(child.stdout, "data"), broken]);
  const before = cpuSeconds(child.pid ?? 0);
  const packetsPerSecond = await link.flood(mixedFrames(), PACKETS, perSecond);
  await pause(SETTLE_MS);
  const used = cpuSeconds(child.pid ?? 0) - before;
  child.kill("SIGTERM");
  await once(child, "close");
  const captured = Number(output.split("\n")[1]);
  return {
    nanosecondsPerPacket: (used / captured) * 1e9,
    lost: PACKETS - captured,
    packetsPerSecond,
    scrapes: [],
  };
}

function rows(own: Result, cap: Result): Row[] {
  const costOf = (rounds: readonly Round[]): number =>
    median(rounds.map((round) => round.nanosecondsPerPacket));
  const loss = ({ fastest }: Result): number =>
    fastest.reduce((total, round) => total + round.lost, 0) / (PACKETS * ROUNDS);
  const rate = median(own.fastest.map((round) => round.packetsPerSecond));
  const scrapes = [...own.compared, ...own.fastest].flatMap((round) => round.scrapes);
  const milliseconds = (share: number): string =>
    `${(quantile(scrapes, share) * 1000).toFixed(1)} ms`;
  const costRow = (where: string, of: (result: Result) => readonly Round[]): Row => {
    const ratio = costOf(of(cap)) / costOf(of(own));
    return {
      what: `live ring, whole pipeline, CPU per packet ${where}`,
      measured: `${costOf(of(own)).toFixed(0)} ns`,
      against: `cap, trivial handler: ${costOf(of(cap)).toFixed(0)} ns`,
      ratio,
      goal: `at least ${TIMES_LESS_CPU_MIN} × less`,
      met: ratio >= TIMES_LESS_CPU_MIN,
    };
  };
  return [
    costRow(
      `at ${COMPARED_PER_SECOND.toLocaleString("en")} packets/s`,
      (result) => result.compared,
    ),
    costRow("at the fastest rate, of the packets each got", (result) => result.fastest),
    {
      what: `loss at ${rounded(rate)} packets/s, the fastest rate of trafgen`,
      measured: percent(loss(own)),
      against: `cap: ${percent(loss(cap))}, which it does not count`,
      ratio: null,
      goal: "none",
      met: loss(own) === 0,
    },
    {
      what: "scrape meanwhile, p50 / p99 / slowest",
      measured: `${milliseconds(0.5)} / ${milliseconds(0.99)} / ${milliseconds(1)}`,
      against: "",
      ratio: null,
      goal: `below ${SCRAPE_SECONDS_MAX * 1000} ms`,
      met: quantile(scrapes, 1) < SCRAPE_SECONDS_MAX,
    },
  ];
}

/** To thousands. */
function rounded(rate: number): string {
  return (Math.round(rate / 1000) * 1000).toLocaleString("en");
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
