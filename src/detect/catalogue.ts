// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "zod";
import type { DetectorDefinition, Severity } from "./detector.ts";
import { detectorSettings } from "./settings.ts";

/** One setting as `nam detectors` and the documentation show it. */
export interface SettingEntry {
  /** Path in the configuration, e.g. `detectors.port_scan.alpha`. */
  readonly path: string;
  readonly default: unknown;
  readonly description: string;
}

export interface DetectorEntry {
  readonly name: string;
  readonly class: string;
  readonly help: string;
  readonly severities: readonly Severity[];
  readonly settings: readonly SettingEntry[];
}

/** What every detector is and how it can be set. */
export function detectorCatalogue(
  definitions: readonly DetectorDefinition<unknown>[],
): DetectorEntry[] {
  return definitions.map((definition) => ({
    name: definition.name,
    class: definition.class,
    help: definition.help,
    severities: definition.severities,
    settings: settingEntries(`detectors.${definition.name}`, detectorSettings(definition)),
  }));
}

/** The fields of a flat settings object: path, default and description of each. */
export function settingEntries(path: string, schema: z.ZodObject): SettingEntry[] {
  const { properties = {} } = z.toJSONSchema(schema, { io: "input" });
  return Object.entries(properties).map(([name, property]) => {
    const { default: value, description } =
      typeof property === "boolean" ? { default: null, description: "" } : property;
    return { path: `${path}.${name}`, default: value ?? null, description: description ?? "" };
  });
}
