// SPDX-License-Identifier: AGPL-3.0-or-later
import { Command } from "commander";
import { metricCatalogue } from "../catalogue.ts";
import type { CommandContext } from "./command.ts";
import { formatTable } from "./table.ts";

const EXAMPLES = `
Examples:
  nam metrics
  nam metrics --json | jq -r '.[] | select(.type == "counter") | .name'
`;

/** `nam metrics`: the catalogue of everything that is exposed. */
export function metricsSubcommand({ io }: CommandContext): Command {
  return new Command("metrics")
    .description("List every metric the agent exposes.")
    .option("--json", "Print JSON, with the values each label can take.")
    .addHelpText("after", EXAMPLES)
    .action(({ json }: { readonly json?: true }) => {
      const metrics = metricCatalogue();
      if (json) {
        io.stdout.write(`${JSON.stringify(metrics, null, 2)}\n`);
        return;
      }
      const rows = metrics.map(({ name, type, labels = {}, help }) => [
        name,
        type,
        Object.keys(labels).join(","),
        help,
      ]);
      io.stdout.write(formatTable(["NAME", "TYPE", "LABELS", "MEANING"], rows));
    });
}
