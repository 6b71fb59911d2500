// SPDX-License-Identifier: AGPL-3.0-or-later
import { readdirSync } from "node:fs";
import { constants, getPriority, setPriority } from "node:os";

/** A thread that is this much nicer gets a quarter of the processor that it shares with one that is not (setpriority(2)). */
const NICER = 5;
const NICEST = constants.priority.PRIORITY_LOW;
const THREADS = "/proc/self/task";

/**
 * Puts the calling thread, and those it starts from now on, behind the other threads where processors are scarce, and
 * behind those of `othersGiveWay` as well: what the engine compiles is what the thread in front waits for.
 */
export function giveWay(): void {
  lower([0], 2 * NICER);
}

/**
 * Puts the threads that the process has beside its first one behind it. At the start those are the engine's, which compile
 * and collect garbage.
 */
export function othersGiveWay(): void {
  lower(
    threads().filter((thread) => thread !== process.pid),
    NICER,
  );
}

/** Only Linux has priorities of threads; elsewhere the whole process would wait for others. */
function threads(): number[] {
  try {
    return readdirSync(THREADS).map(Number);
  } catch {
    return [];
  }
}

function lower(ids: readonly number[], nicer: number): void {
  if (process.platform !== "linux") return;
  for (const id of ids) {
    try {
      setPriority(id, Math.min(getPriority(id) + nicer, NICEST));
    } catch {
      // It has ended, or a sandbox forbids it: all the same but for the speed.
    }
  }
}
