// SPDX-License-Identifier: AGPL-3.0-or-later
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Link } from "./link.ts";
import { childrenOf, pause } from "./process.ts";

export const MAIN = fileURLToPath(new URL("../dist/main.js", import.meta.url));

const ADDRESS = "127.0.0.1:9977";
const READY_MS = 15_000;
const SETTLE_MS = 10_000;

/** `nam run` on a link, as an operator would start it. */
export class Agent {
  readonly monitor: number;
  readonly #process: ChildProcess;
  readonly #link: Link;

  private constructor(link: Link, child: ChildProcess) {
    this.#link = link;
    this.#process = child;
    this.monitor = child.pid ?? 0;
  }

  /** Returns when the agent says that it captures. */
  static async start(link: Link): Promise<Agent> {
    const logFile = join(link.folder, "agent.log");
    const log = openSync(logFile, "w");
    const flags = ["--interface", link.inlet, "--web.listen-address", ADDRESS];
    const storage = ["--storage.path", join(link.folder, "state")];
    const child = link.spawn(process.execPath, [MAIN, "run", ...flags, ...storage], {
      stdio: ["ignore", log, log],
      // Which programs run meanwhile decides how many process groups there are; the series are to depend on traffic.
      env: { ...process.env, NAM_HOST_PROCESS_GROUPS: "false" },
    });
    closeSync(log);
    const agent = new Agent(link, child);
    for (
      const deadline = performance.now() + READY_MS;
      performance.now() < deadline;
      await pause(100)
    ) {
      if (child.exitCode !== null) break;
      const ready = await link.get(`http://${ADDRESS}/-/ready`).catch(() => null);
      if (ready) return agent;
    }
    await agent.stop();
    throw new Error(`nam run did not get ready: ${readFileSync(logFile, "utf8").slice(-2000)}`);
  }

  get sensor(): number {
    return childrenOf(this.monitor)[0] ?? 0;
  }

  scrape(): Promise<{ body: string; seconds: number }> {
    return this.#link.get(`http://${ADDRESS}/metrics`);
  }

  /** Scrapes once a second until `work` is done, and returns how long each scrape took, in seconds. */
  async scrapeDuring(work: Promise<unknown>): Promise<number[]> {
    const latencies: number[] = [];
    let done = false;
    const finished = work.finally(() => {
      done = true;
    });
    while (!done) {
      latencies.push((await this.scrape()).seconds);
      await Promise.race([finished, pause(1000)]);
    }
    await finished;
    return latencies;
  }

  /** Waits until so many packets are captured or counted as dropped, or do not come; returns the last scrape. */
  async accounted(packets: number): Promise<string> {
    for (const deadline = performance.now() + SETTLE_MS; ; await pause(50)) {
      const { body } = await this.scrape();
      const captured = sum(body, "nam_capture_packets_total");
      if (captured + sum(body, "nam_capture_dropped_packets_total") >= packets) return body;
      if (performance.now() > deadline) return body;
    }
  }

  /** Waits until the counter of captured packets stands still; returns the last scrape. */
  async settled(): Promise<string> {
    let last = -1;
    for (;;) {
      const { body } = await this.scrape();
      const captured = sum(body, "nam_capture_packets_total");
      if (captured === last) return body;
      last = captured;
      await pause(2000);
    }
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const ended = once(this.#process, "exit");
    this.#process.kill("SIGTERM");
    await ended;
  }
}

/** Sum over all series of a family in a scrape. */
export function sum(body: string, family: string): number {
  const pattern = new RegExp(`^${family}(?:\\{[^}]*\\})? (\\S+)`, "gm");
  return [...body.matchAll(pattern)].reduce((total, match) => total + Number(match[1]), 0);
}

export function seriesCount(body: string): number {
  return body.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length;
}
