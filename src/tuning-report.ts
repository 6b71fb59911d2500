// SPDX-License-Identifier: AGPL-3.0-or-later
import { SEVERITIES } from "./detect/detector.ts";
import type { Trial } from "./detect/tuner.ts";

/** What other thresholds would have raised, for people: settings that make a difference first and in full. */
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
  lines.push(...grouped(same));
  return `${lines.join("\n")}\n`;
}

/** One line for each detector and outcome. */
function grouped(settings: readonly (readonly [string, readonly Trial[]])[]): string[] {
  const groups = new Map<string, string[]>();
  for (const [setting, [trial]] of settings) {
    const [, detector = "", name = ""] = setting.split(".");
    const key = `${detector} (${trial ? raised(trial) : "nothing"})`;
    groups.set(key, [...(groups.get(key) ?? []), name]);
  }
  return [...groups].map(([key, names]) => `    ${key}: ${names.join(", ")}`);
}

function raised({ raised }: Trial): string {
  const parts = SEVERITIES.filter((severity) => raised[severity] > 0).map(
    (severity) => `${raised[severity]} ${severity}`,
  );
  return parts.length === 0 ? "nothing" : parts.join(", ");
}
