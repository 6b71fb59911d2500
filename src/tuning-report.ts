// SPDX-License-Identifier: AGPL-3.0-or-later
import { SEVERITIES } from "./detect/detector.ts";
import type { Trial } from "./detect/tuner.ts";

const NOTHING = "nothing";
const LINE_MAX = 90;

/** A setting and what each of its values would have raised. */
type Outcomes = readonly [setting: string, trials: readonly Trial[]];

/**
 * What other thresholds would have raised, for people: settings that make a difference first and in full, and
 * the many detectors that say nothing at any value last and by name alone.
 */
export function tuningText(trials: readonly Trial[]): string {
  const settings = new Map<string, Trial[]>();
  for (const trial of trials) {
    const known = settings.get(trial.setting);
    if (known) known.push(trial);
    else settings.set(trial.setting, [trial]);
  }
  const different = [...settings].filter(([, own]) => new Set(own.map(raised)).size > 1);
  const same = [...settings].filter(([, own]) => new Set(own.map(raised)).size === 1);
  const lines = ["", "Thresholds: anomalies that other values would have raised in these files"];
  for (const [setting, own] of different) {
    lines.push(setting);
    for (const trial of own) {
      const mark = trial.isCurrent ? "*" : " ";
      lines.push(`  ${mark} ${String(trial.value).padEnd(12)} ${raised(trial)}`);
    }
  }
  if (different.length > 0) lines.push("(* is the configured value)");
  lines.push(
    different.length > 0
      ? "No difference from a quarter to four times as much:"
      : "Not one setting makes a difference from a quarter to four times as much:",
  );
  const loud = new Set([...different, ...same.filter(hasRaised)].map(([name]) => detectorOf(name)));
  const isLoud = ([setting]: Outcomes): boolean => loud.has(detectorOf(setting));
  lines.push(...grouped(same.filter(isLoud)));
  const silent = new Set(
    [...settings].filter((own) => !isLoud(own)).map(([name]) => detectorOf(name)),
  );
  if (silent.size > 0) lines.push("Nothing whatever the value:", ...wrapped([...silent]));
  return `${lines.join("\n")}\n`;
}

function detectorOf(setting: string): string {
  return setting.split(".")[1] ?? "";
}

function hasRaised([, trials]: Outcomes): boolean {
  return trials.some((trial) => raised(trial) !== NOTHING);
}

/** Names in lines that fit a terminal. */
function wrapped(names: readonly string[]): string[] {
  const lines = [""];
  for (const [at, name] of names.entries()) {
    const word = at < names.length - 1 ? `${name},` : name;
    const line = lines.at(-1) ?? "";
    if (line.length + word.length > LINE_MAX) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.map((line) => `    ${line}`);
}

/** One line for each detector and outcome. */
function grouped(settings: readonly Outcomes[]): string[] {
  const groups = new Map<string, string[]>();
  for (const [setting, [trial]] of settings) {
    const [, detector = "", name = ""] = setting.split(".");
    const key = `${detector} (${trial ? raised(trial) : NOTHING})`;
    groups.set(key, [...(groups.get(key) ?? []), name]);
  }
  return [...groups].map(([key, names]) => `    ${key}: ${names.join(", ")}`);
}

function raised({ raised }: Trial): string {
  const parts = SEVERITIES.filter((severity) => raised[severity] > 0).map(
    (severity) => `${raised[severity]} ${severity}`,
  );
  return parts.length === 0 ? NOTHING : parts.join(", ");
}
