// SPDX-License-Identifier: AGPL-3.0-or-later

import { NamError } from "../util/errors.ts";
import { z } from "../util/zod.ts";
import { type AllowSettings, allowSettings } from "./allow.ts";
import type { DetectorDefinition } from "./detector.ts";
import { type GuardSettings, guardSettings } from "./guards.ts";

/** The `detectors:` section: `guards`, and one key a detector. Missing keys mean the defaults. */
export type DetectSettings = Readonly<Record<string, unknown>>;

// What every detector has besides its own settings. Schemas are dear to make, so all that can be shared is.
const enabledField = z.boolean().default(true).describe("False switches the detector off.");
const quietField = sharedBy((seconds: number) =>
  z
    .number()
    .min(1)
    .default(seconds)
    .describe("An anomaly is resolved after this many seconds without another finding."),
);

/** The same, once the defaults are filled in. */
const common = z.object({ enabled: z.boolean(), quiet_seconds: z.number() });

/** One detector's settings as the configuration has them: its own and the common ones. */
export const detectorSettings = sharedBy((definition: DetectorDefinition<unknown>) =>
  ownSettings(definition).extend({
    enabled: enabledField,
    quiet_seconds: quietField(definition.quietSeconds),
  }),
);

/** The schema of the `detectors:` section for a list of detectors; strict, and an empty section is valid. */
export function detectSettingsSchema(
  definitions: readonly DetectorDefinition<unknown>[],
): z.ZodType<DetectSettings> {
  const guards = guardSettings.prefault({}).describe("What holds for every detector.");
  const allow = allowSettings.prefault({}).describe("What no detector speaks of.");
  const shape: Record<string, z.ZodType> = { guards, allow };
  for (const definition of definitions) {
    shape[definition.name] = detectorSettings(definition).prefault({}).describe(definition.help);
  }
  return z.strictObject(shape).prefault({}).describe("What is told, and from where on.");
}

/** What the engine needs to know of one detector's settings. */
export interface ParsedSettings {
  readonly enabled: boolean;
  readonly quietMs: number;
  /** For `definition.create`. */
  readonly own: unknown;
}

/** Reads one detector's settings; throws CONFIG_INVALID where they are not valid. */
export function parseSettings(
  definition: DetectorDefinition<unknown>,
  settings: DetectSettings,
): ParsedSettings {
  const given = parse(
    `detectors.${definition.name}`,
    detectorSettings(definition),
    settings[definition.name],
  );
  const { enabled, quiet_seconds: quietSeconds } = common.parse(given);
  const own = Object.entries(given).filter(([name]) => !(name in common.shape));
  return { enabled, quietMs: quietSeconds * 1000, own: Object.fromEntries(own) };
}

/** Reads the guards' settings; throws CONFIG_INVALID where they are not valid. */
export function parseGuards(settings: DetectSettings): GuardSettings {
  return parse("detectors.guards", guardSettings, settings.guards);
}

/** Reads what the operator allows; throws CONFIG_INVALID where it is not valid. */
export function parseAllow(settings: DetectSettings): AllowSettings {
  return parse("detectors.allow", allowSettings, settings.allow);
}

function parse<T>(path: string, schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value ?? {});
  if (result.success) return result.data;
  throw new NamError("CONFIG_INVALID", `${path}: ${z.prettifyError(result.error)}`, result.error);
}

function ownSettings(definition: DetectorDefinition<unknown>): z.ZodObject {
  if (definition.settings instanceof z.ZodObject) return definition.settings;
  throw new NamError("INTERNAL", `detector ${definition.name}: settings must be a strict object`);
}

/** `make`, called once for each key. */
function sharedBy<K, V>(make: (key: K) => V): (key: K) => V {
  const made = new Map<K, V>();
  return (key) => {
    const before = made.get(key);
    if (before !== undefined) return before;
    const value = make(key);
    made.set(key, value);
    return value;
  };
}
