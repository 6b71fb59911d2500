// SPDX-License-Identifier: AGPL-3.0-or-later
import { type Command, Option } from "commander";
import {
  type ConfigInput,
  type Configured,
  type FlagValue,
  readConfigured,
} from "../config/configured.ts";
import { configJsonSchema } from "../config/json-schema.ts";
import type { LoadedConfig } from "../config/load.ts";
import { listSettings, type Setting } from "../config/settings.ts";
import type { JsonSchema } from "../util/validate.ts";
import type { Io } from "./command.ts";

/** Flags that set a setting of the configuration; what each means is said there. */
const SETTING_FLAGS = {
  "--interface <name>": "capture.interfaces",
  "--capture.source <source>": "capture.source",
  "--capture.filter <filter>": "capture.filter",
  "--stealth": "stealth",
  "--web.listen-address <address>": "web.listen_address",
  "--web.config.file <file>": "web.config_file",
  "--web.telemetry-path <path>": "web.telemetry_path",
  "--storage.path <folder>": "storage.path",
  "--log.level <level>": "log.level",
  "--log.format <format>": "log.format",
} as const;

export type SettingFlag = keyof typeof SETTING_FLAGS;

const CONFIG_FILE = "--config.file <file>";

/** Adds `--config.file` and the flags named; nothing is read before `readConfig`. */
export function addConfigFlags(command: Command, flags: readonly SettingFlag[]): void {
  command.option(CONFIG_FILE, "Configuration file (YAML).");
  const settings = listSettings(configJsonSchema);
  for (const flag of flags) {
    const setting = settings.find(({ name }) => name === SETTING_FLAGS[flag]);
    if (setting) command.addOption(optionOf(flag, setting));
  }
}

/** What the command line, the environment and the file say. Throws as `readConfigured` does. */
export function configuredBy(command: Command, io: Io): Configured {
  return readConfigured(configInput(command, io));
}

/** The configuration as the command line, the environment and the file give it, and the way to read it again. */
export async function readConfig(
  command: Command,
  io: Io,
): Promise<{ readonly loaded: LoadedConfig; reload(): LoadedConfig }> {
  const { loadConfig } = await import("../config/load.ts");
  const input = configInput(command, io);
  return { loaded: loadConfig(input), reload: () => loadConfig(input) };
}

/** True when the operator gave the flag on the command line. */
export function isGiven(command: Command, flag: SettingFlag): boolean {
  return givenValue(command, flag) !== undefined;
}

function configInput(command: Command, { env }: Io): ConfigInput {
  const flags: FlagValue[] = Object.entries(SETTING_FLAGS).flatMap(([flag, setting]) => {
    const value = givenValue(command, flag);
    return value === undefined ? [] : [{ flag: flag.replace(/ .*/, ""), setting, value }];
  });
  const file = givenValue(command, CONFIG_FILE);
  return { env, flags, ...(typeof file === "string" ? { file } : {}) };
}

/** None of these options has a default, so a value means that the flag was given. */
function givenValue(command: Command, flag: string): unknown {
  const option = command.options.find((candidate) => candidate.flags === flag);
  return option && command.getOptionValue(option.attributeName());
}

function optionOf(flag: SettingFlag, { schema }: Setting): Option {
  const option = new Option(flag, helpOf(schema));
  if (schema.type !== "array") return option;
  return option.argParser((value, previous: string[] | undefined) => [...(previous ?? []), value]);
}

function helpOf({ description = "", enum: words, type, default: fallback }: JsonSchema): string {
  const choices = words ? ` One of ${words.join(", ")}.` : "";
  const list = type === "array" ? " May be given more than once." : "";
  const shown = [fallback].flat().join(", ");
  const isShown = shown !== "" && fallback !== null && fallback !== false;
  return `${description}${choices}${list}${isShown ? ` (default: ${shown})` : ""}`;
}
