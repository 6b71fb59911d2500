// SPDX-License-Identifier: AGPL-3.0-or-later
import { cpus } from "node:os";
import si from "systeminformation";
import { ProcTable } from "./proc-table.ts";
import type { ProcessTable, ProcessUse } from "./process-use.ts";

/**
 * The table of this machine. On Linux it is read from /proc, since systeminformation starts a program for every
 * process there; elsewhere systeminformation asks the system once.
 */
export function createProcessTable(): ProcessTable {
  return process.platform === "linux" ? new ProcTable("/proc") : { read: readPortable };
}

async function readPortable(): Promise<ProcessUse[]> {
  // On Windows a percentage of the machine, elsewhere of one processor.
  const whole = process.platform === "win32" ? 100 : 100 * Math.max(1, cpus().length);
  const { list } = await si.processes();
  return list.map(({ name, cpu, memRss }) => ({
    name,
    cpuRatio: cpu / whole,
    memoryBytes: memRss * 1024,
  }));
}
