// SPDX-License-Identifier: AGPL-3.0-or-later
import { readFileSync } from "node:fs";
import { cpus } from "node:os";

/** Processor time of the whole machine since it started, in ticks whose length does not matter. */
export interface CpuTime {
  readonly busy: number;
  readonly total: number;
}

/** Reads the machine's processor time: /proc/stat on Linux (proc(5)), the runtime's own numbers elsewhere. */
export function readCpuTime(): CpuTime {
  return process.platform === "linux"
    ? parseCpuLine(readFileSync("/proc/stat", "latin1"))
    : sumOf(cpus().map(({ times }) => times));
}

/**
 * The first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq and steal time. Guest time is part of
 * user time already, and waiting for a disk is not work.
 */
export function parseCpuLine(stat: string): CpuTime {
  const [, ...fields] = stat.slice(0, Math.max(0, stat.indexOf("\n"))).split(/ +/);
  const ticks = fields.slice(0, 8).map(Number);
  const total = ticks.reduce((sum, value) => sum + value, 0);
  const [, , , idle = 0, waiting = 0] = ticks;
  return { busy: total - idle - waiting, total };
}

function sumOf(times: readonly { idle: number; [kind: string]: number }[]): CpuTime {
  let busy = 0;
  let total = 0;
  for (const cpu of times) {
    const all = Object.values(cpu).reduce((sum, value) => sum + value, 0);
    total += all;
    busy += all - cpu.idle;
  }
  return { busy, total };
}

/** Share of the machine that was busy between two readings, 0 to 1; 0 where no time passed. */
export function busyRatio(before: CpuTime, after: CpuTime): number {
  const total = after.total - before.total;
  if (total <= 0) return 0;
  return Math.min(1, Math.max(0, (after.busy - before.busy) / total));
}
