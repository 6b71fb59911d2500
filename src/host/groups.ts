// SPDX-License-Identifier: AGPL-3.0-or-later
import type { ProcessUse } from "./process-use.ts";

/** Group of everything that is not among the largest. */
export const OTHER = "other";

/** Distinct names that may be labels within an hour: whoever can start programs can name them. */
const MOST_NAMES = 100;
const NAME_LIFETIME_MS = 3_600_000;
const MOST_CHARACTERS = 32;
/** A group that is told already must be outdone by this factor, so that the list does not flicker. */
const INCUMBENT = 2;

/** Processes of one name; shares are of the whole machine. */
export interface ProcessGroup {
  readonly name: string;
  readonly cpuRatio: number;
  readonly memoryBytes: number;
  readonly processes: number;
}

/**
 * A process's name as a label value: without the instance number that many put at the end, and without anything but
 * letters, digits, dot, dash and underscore. Empty where nothing is left.
 */
export function groupName(name: string): string {
  return name
    .replace(/[-_.:#/ ]+\d+$/, "")
    .replace(/[^A-Za-z0-9._-]+/g, "_")
    .replace(/^[_.-]+|[_.-]+$/g, "")
    .slice(0, MOST_CHARACTERS);
}

/** Sums processes into the largest groups by CPU and memory together, and `other`; names are bounded over time, too. */
export class ProcessGroups {
  readonly #top: number;
  readonly #names = new Map<string, number>();
  #told: ReadonlySet<string> = new Set();

  constructor(top: number) {
    this.#top = top;
  }

  /** Most CPU first, `other` last. */
  group(processes: readonly ProcessUse[], memoryTotalBytes: number, nowMs: number): ProcessGroup[] {
    const groups = sumByName(processes);
    const weight = ({ name, cpuRatio, memoryBytes }: ProcessGroup): number =>
      (cpuRatio + memoryBytes / memoryTotalBytes) * (this.#told.has(name) ? INCUMBENT : 1);
    const ranked = [...groups.values()].sort(
      (a, b) => weight(b) - weight(a) || (a.name < b.name ? -1 : 1),
    );
    const told: ProcessGroup[] = [];
    const rest: ProcessGroup[] = [];
    for (const group of ranked) {
      if (told.length < this.#top && this.#admit(group.name, nowMs)) told.push(group);
      else rest.push(group);
    }
    this.#told = new Set(told.map(({ name }) => name));
    told.sort((a, b) => b.cpuRatio - a.cpuRatio);
    return [...told, otherOf(rest)];
  }

  #admit(name: string, nowMs: number): boolean {
    if (name === "" || name === OTHER) return false;
    if (!this.#names.has(name) && this.#names.size >= MOST_NAMES) this.#forget(nowMs);
    if (!this.#names.has(name) && this.#names.size >= MOST_NAMES) return false;
    this.#names.set(name, nowMs);
    return true;
  }

  #forget(nowMs: number): void {
    for (const [name, usedMs] of this.#names) {
      if (nowMs - usedMs > NAME_LIFETIME_MS) this.#names.delete(name);
    }
  }
}

function sumByName(processes: readonly ProcessUse[]): Map<string, ProcessGroup> {
  const groups = new Map<string, ProcessGroup>();
  for (const process of processes) {
    const name = groupName(process.name);
    const known = groups.get(name);
    groups.set(name, {
      name,
      cpuRatio: (known?.cpuRatio ?? 0) + process.cpuRatio,
      memoryBytes: (known?.memoryBytes ?? 0) + process.memoryBytes,
      processes: (known?.processes ?? 0) + 1,
    });
  }
  return groups;
}

function otherOf(groups: readonly ProcessGroup[]): ProcessGroup {
  return groups.reduce(
    (sum, { cpuRatio, memoryBytes, processes }) => ({
      name: OTHER,
      cpuRatio: sum.cpuRatio + cpuRatio,
      memoryBytes: sum.memoryBytes + memoryBytes,
      processes: sum.processes + processes,
    }),
    { name: OTHER, cpuRatio: 0, memoryBytes: 0, processes: 0 },
  );
}
