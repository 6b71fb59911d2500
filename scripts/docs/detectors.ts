// SPDX-License-Identifier: AGPL-3.0-or-later
import { type DetectorEntry, detectorCatalogue } from "../../src/catalogue.ts";
import { listSettings } from "../../src/config/settings.ts";
import { code, page, sentence, table } from "./markdown.ts";
import { settingsTable } from "./settings-table.ts";

export function detectorsDocument(): string {
  const detectors = detectorCatalogue();
  const overview = detectors.map(({ name, class: kind, severities, help }) => [
    `[${name}](#${name})`,
    kind,
    severities.join(", "),
    sentence(help),
  ]);
  return page(
    "# Detectors",
    "What can be found, by whom, and how each is tuned. An event names the setting that would have to change for it not " +
      "to be raised (`threshold.setting`); [events.md](events.md) says what else is in it, and " +
      "[configuration.md](configuration.md#detectors) has the settings that hold for every detector.",
    table(["Detector", "Class", "Severities", "Finds"], overview),
    ...detectors.map(section),
  );
}

function section({
  name,
  help,
  class: kind,
  severities,
  settings,
  alarmsPerWeek,
}: DetectorEntry): string {
  return [
    `## ${name}`,
    `${sentence(help)} Class ${code(kind)}; severities ${severities.map(code).join(", ")}. Budget of false alarms: ${alarmsPerWeek} a week.`,
    settingsTable(listSettings(settings, ["detectors", name])),
  ].join("\n\n");
}
