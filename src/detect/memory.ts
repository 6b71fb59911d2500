// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "zod";
import { bankMemory } from "./baseline/memory.ts";

/** What the engine has learned, as plain data: what is kept over a restart. */
export const engineMemory = z.strictObject({
  signals: bankMemory,
  /** By name, of the detectors that learn what signals do not tell; each checks its own. */
  detectors: z.record(z.string(), z.unknown()),
});
export type EngineMemory = z.infer<typeof engineMemory>;

/** The same by signal and by detector, each made, as of then, when it is asked for: ticks may come in between. */
export type MemoryParts = {
  readonly [section in keyof EngineMemory]: Iterable<readonly [name: string, memory: unknown]>;
};
