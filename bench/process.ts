// SPDX-License-Identifier: AGPL-3.0-or-later
// Other programs, run and measured from outside through /proc.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";

export interface Finished {
  readonly wallSeconds: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end and returns how long it took; throws where it fails. */
export async function timed(command: string, args: readonly string[]): Promise<Finished> {
  const started = performance.now();
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  const output = collect(child);
  const [code] = await once(child, "close");
  const wallSeconds = (performance.now() - started) / 1000;
  const finished = { wallSeconds, ...output };
  if (code === 0) return finished;
  throw new Error(`${command} ${args.join(" ")} ended with ${code}: ${output.stderr.slice(-2000)}`);
}

function collect(child: ChildProcess): { stdout: string; stderr: string } {
  const output = { stdout: "", stderr: "" };
  child.stdout?.on("data", (data) => {
    output.stdout += data;
  });
  child.stderr?.on("data", (data) => {
    output.stderr += data;
  });
  return output;
}

/** CPU seconds that every thread of a process has used, user and system. */
export function cpuSeconds(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    nanoseconds += Number(
      readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0],
    );
  }
  return nanoseconds / 1e9;
}

export function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return text === "" ? [] : text.split(" ").map(Number);
}

export interface Memory {
  /** Resident bytes without the mmapped packet ring. */
  readonly resident: number;
  /** The same with pages that several processes share divided among them. */
  readonly proportional: number;
  readonly ring: number;
}

export function memoryOf(pid: number): Memory {
  const total = { resident: 0, proportional: 0, ring: 0 };
  let isRing = false;
  for (const line of readFileSync(`/proc/${pid}/smaps`, "utf8").split("\n")) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) isRing = line.includes("socket:[");
    const [, field, kilobytes] = /^(Rss|Pss):\s+(\d+) kB/.exec(line) ?? [];
    const bytes = Number(kilobytes ?? 0) * 1024;
    if (field === "Rss") total[isRing ? "ring" : "resident"] += bytes;
    if (field === "Pss" && !isRing) total.proportional += bytes;
  }
  return total;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
