// SPDX-License-Identifier: AGPL-3.0-or-later
import { Command } from "commander";
import { detectorCatalogue } from "../catalogue.ts";
import type { CommandContext } from "./command.ts";
import { formatTable } from "./table.ts";

const EXAMPLES = `
Examples:
  nam detectors
  nam detectors --json | jq '.[].settings'
`;

/** `nam detectors`: the catalogue of what can be detected. */
export function detectorsSubcommand({ io }: CommandContext): Command {
  return new Command("detectors")
    .description("List every detector, what it finds and how it can be tuned.")
    .option("--json", "Print JSON, with every setting and its default.")
    .addHelpText("after", EXAMPLES)
    .action(({ json }: { readonly json?: true }) => {
      const detectors = detectorCatalogue();
      if (json) {
        io.stdout.write(`${JSON.stringify(detectors, null, 2)}\n`);
        return;
      }
      const rows = detectors.map(({ name, class: kind, severities, help }) => [
        name,
        kind,
        severities.join(","),
        help,
      ]);
      io.stdout.write(formatTable(["NAME", "CLASS", "SEVERITIES", "MEANING"], rows));
    });
}
