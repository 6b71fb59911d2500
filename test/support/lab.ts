// SPDX-License-Identifier: AGPL-3.0-or-later
import {
  type ChildProcess,
  execFile,
  execFileSync,
  type SpawnOptions,
  spawn,
} from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

export const ATTACKER = "10.99.0.1";
export const VICTIM = "10.99.0.2";

/**
 * Two hosts of the test's own: network namespaces `a` (attacker and clients) and `b` (victim, agent, Prometheus)
 * joined by one veth pair, with no way out of them. Everything started in them ends with `close`.
 */
export class Lab {
  readonly a: string;
  readonly b: string;
  /** The interface in `b` that the agent watches. */
  readonly interfaceName = "lab0";
  readonly #children = new Set<ChildProcess>();

  /** `quiet`: the kernels send nothing of their own accord (no IPv6, no ARP for addresses nobody uses). */
  constructor(area: string, { quiet = false } = {}) {
    this.a = `nam-${area}-${process.pid}-a`;
    this.b = `nam-${area}-${process.pid}-b`;
    const ip = (...args: string[]): void => void execFileSync("ip", args, { stdio: "pipe" });
    for (const name of [this.a, this.b]) {
      ip("netns", "add", name);
      ip("-n", name, "link", "set", "lo", "up");
      if (quiet) ip("netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1");
    }
    ip(
      "link",
      "add",
      "lab0",
      "netns",
      this.a,
      "type",
      "veth",
      "peer",
      "name",
      "lab0",
      "netns",
      this.b,
    );
    for (const [name, address] of [
      [this.a, ATTACKER],
      [this.b, VICTIM],
    ] as const) {
      ip("-n", name, "addr", "add", `${address}/24`, "dev", "lab0");
      ip("-n", name, "link", "set", "lab0", "up");
    }
  }

  /** Runs a command in a namespace to its end and returns what it printed; rejects on a non-zero exit. */
  async exec(namespace: string, command: string, ...args: string[]): Promise<string> {
    const { stdout } = await run("ip", ["netns", "exec", namespace, command, ...args], {
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  }

  /** Starts a command in a namespace; `close` ends it. */
  spawn(
    namespace: string,
    command: string,
    args: readonly string[],
    options: SpawnOptions = {},
  ): ChildProcess {
    const child = spawn("ip", ["netns", "exec", namespace, command, ...args], {
      stdio: ["ignore", "ignore", "inherit"],
      ...options,
    });
    this.#children.add(child);
    child.once("exit", () => this.#children.delete(child));
    return child;
  }

  /** HTTP from inside `b`, where only its own loopback is. Rejects when nothing answers. */
  async get(url: string, ...curlArgs: string[]): Promise<string> {
    return this.exec(this.b, "curl", "-s", "-S", "-m", "10", ...curlArgs, url);
  }

  async json<T>(url: string, ...curlArgs: string[]): Promise<T> {
    return JSON.parse(await this.get(url, ...curlArgs)) as T;
  }

  /** Hardware address of the namespace's end of the pair. */
  macOf(namespace: string): string {
    const link = ["-n", namespace, "-j", "link", "show", this.interfaceName];
    const [found] = JSON.parse(execFileSync("ip", link, { encoding: "utf8" }));
    return found.address;
  }

  async close(): Promise<void> {
    await Promise.all(
      [...this.#children].map(
        (child) =>
          new Promise<void>((resolve) => {
            child.once("exit", () => resolve());
            child.kill("SIGTERM");
            setTimeout(() => child.kill("SIGKILL"), 5_000).unref();
          }),
      ),
    );
    for (const name of [this.a, this.b]) {
      const pids = execFileSync("ip", ["netns", "pids", name], { encoding: "utf8" }).split("\n");
      for (const pid of pids.filter(Boolean)) process.kill(Number(pid), "SIGKILL");
      execFileSync("ip", ["netns", "del", name], { stdio: "pipe" });
    }
  }
}

/** Asks again until `probe` answers something; rejects with the last failure after `timeoutMs`. */
export async function until<T>(
  what: string,
  timeoutMs: number,
  probe: () => Promise<T | null | undefined | false>,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown = "no answer";
  for (;;) {
    try {
      const answer = await probe();
      if (answer) return answer;
      last = "not yet";
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline)
      throw new Error(`${what}: not within ${timeoutMs} ms`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
