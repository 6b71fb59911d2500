// SPDX-License-Identifier: AGPL-3.0-or-later
import { load } from "js-yaml";
import { projectFiles, readProjectFile } from "./project.ts";

export interface AlertRule {
  readonly file: string;
  readonly group: string;
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly keep_firing_for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface RecordingRule {
  readonly file: string;
  readonly group: string;
  readonly record: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
}

interface RuleFile {
  readonly groups: readonly {
    readonly name: string;
    readonly interval?: string;
    readonly rules: readonly (AlertRule | RecordingRule)[];
  }[];
}

/** Paths of the rule files, relative to the project. */
export function ruleFiles(): string[] {
  return projectFiles("prometheus/rules").filter((path) => path.endsWith(".yml"));
}

/** Every alert rule of the project, in file order. */
export function alertRules(): AlertRule[] {
  return rules().filter((rule): rule is AlertRule => "alert" in rule);
}

/** Every recording rule of the project, in file order. */
export function recordingRules(): RecordingRule[] {
  return rules().filter((rule): rule is RecordingRule => "record" in rule);
}

function rules(): (AlertRule | RecordingRule)[] {
  return ruleFiles().flatMap((file) => {
    // The shape is promtool's to check; here it only has to be right.
    const { groups } = load(readProjectFile(file)) as unknown as RuleFile;
    return groups.flatMap(({ name, rules }) =>
      rules.map((rule) => ({ ...rule, file, group: name })),
    );
  });
}
