// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import { bankMemory } from "./baseline/memory.ts";
import { coolDownsMemory } from "./cool-downs.ts";

/** What the engine has learned, as plain data: what is kept over a restart. */
export const engineMemory = z.strictObject({
  signals: bankMemory,
  /** By name, of the detectors that learn what signals do not tell; each checks its own. */
  detectors: z.record(z.string(), z.unknown()),
  /** Incidents that are over, and told again only if they come back worse. */
  coolDowns: coolDownsMemory.default([]),
});
export type EngineMemory = z.infer<typeof engineMemory>;

/** The same by signal and by detector, each made, as of then, when it is asked for: ticks may come in between. */
export interface MemoryParts {
  readonly signals: Iterable<readonly [name: string, memory: unknown]>;
  readonly detectors: Iterable<readonly [name: string, memory: unknown]>;
  coolDowns(): EngineMemory["coolDowns"];
}
