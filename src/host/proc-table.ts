// SPDX-License-Identifier: AGPL-3.0-or-later
import { readdirSync, readFileSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { parseCpuLine } from "./cpu-time.ts";
import type { ProcessTable, ProcessUse } from "./process-use.ts";

/** Processes read between two turns of the event loop: about a millisecond of work. */
const SLICE = 32;
/** Name under which all threads of the kernel are one group. */
const KERNEL = "kernel";
/** What Node.js and others call their main thread, which then hides the program's name. */
const NAMELESS = "MainThread";

/** What /proc/PID/stat says of a process; times in ticks, memory in pages. */
interface ProcStat {
  readonly name: string;
  readonly ticks: number;
  readonly started: string;
  readonly pages: number;
}

/** Processes of a Linux machine, read from /proc without starting anything and without holding up the event loop. */
export class ProcTable implements ProcessTable {
  readonly #root: string;
  readonly #pageBytes: number;
  #processes = new Map<string, { readonly started: string; readonly ticks: number }>();
  #totalTicks = 0;

  constructor(root: string) {
    this.#root = root;
    this.#pageBytes = pageBytes(root);
  }

  async read(): Promise<ProcessUse[]> {
    const { total } = parseCpuLine(readFileSync(`${this.#root}/stat`, "latin1"));
    const passed = this.#totalTicks === 0 ? 0 : total - this.#totalTicks;
    const processes = new Map<string, { started: string; ticks: number }>();
    const uses: ProcessUse[] = [];
    const pids = readdirSync(this.#root).filter((name) => /^\d+$/.test(name));
    for (const [at, pid] of pids.entries()) {
      if (at > 0 && at % SLICE === 0) await setImmediate();
      const stat = this.#stat(pid);
      if (!stat) continue;
      const known = this.#processes.get(pid);
      const before = known?.started === stat.started ? known.ticks : 0;
      processes.set(pid, { started: stat.started, ticks: stat.ticks });
      uses.push({
        name: stat.name === NAMELESS ? this.#programOf(pid) : stat.name,
        cpuRatio: passed > 0 ? Math.min(1, Math.max(0, (stat.ticks - before) / passed)) : 0,
        memoryBytes: stat.pages * this.#pageBytes,
      });
    }
    this.#processes = processes;
    this.#totalTicks = total;
    return uses;
  }

  /** Null for a process that ended meanwhile. */
  #stat(pid: string): ProcStat | null {
    try {
      return parseStat(readFileSync(`${this.#root}/${pid}/stat`, "latin1"));
    } catch {
      return null;
    }
  }

  #programOf(pid: string): string {
    try {
      const [command = ""] = readFileSync(`${this.#root}/${pid}/cmdline`, "latin1").split("\0");
      return command.split("/").at(-1) ?? "";
    } catch {
      return "";
    }
  }
}

/** proc(5): the name is in parentheses and may hold anything; a process without memory of its own is the kernel's. */
export function parseStat(text: string): ProcStat | null {
  const close = text.lastIndexOf(")");
  const open = text.indexOf("(");
  if (open < 0 || close < open) return null;
  const fields = text.slice(close + 2).split(" ");
  const [utime, stime, started, virtualBytes, pages] = [11, 12, 19, 20, 21].map(
    (at) => fields[at] ?? "",
  );
  if (!pages) return null;
  return {
    name: virtualBytes === "0" ? KERNEL : text.slice(open + 1, close),
    ticks: Number(utime) + Number(stime),
    started: started ?? "",
    pages: Number(pages),
  };
}

/** Size of a memory page: this process's memory in bytes over the same in pages, as a power of two. */
function pageBytes(root: string): number {
  const pages = Number(readFileSync(`${root}/self/statm`, "latin1").split(" ")[1]);
  return 2 ** Math.round(Math.log2(process.memoryUsage.rss() / Math.max(1, pages)));
}
