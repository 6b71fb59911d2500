// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Command } from "commander";
import { createProgram } from "../../src/commands/program.ts";
import { page } from "./markdown.ts";

const WIDTH = 110;

export function cliDocument(): string {
  const program = createProgram({
    io: { env: {}, stdout: { write: () => true }, stderr: { write: () => true } },
    finish: () => undefined,
  });
  return page(
    "# Command line",
    "`network-anomaly-monitor`, or `nam` for short. Unknown flags are errors.",
    helpOf(program),
    ...program.commands.flatMap((command) => [`## nam ${command.name()}`, helpOf(command)]),
  );
}

/** The help as a terminal shows it, examples included. */
function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
    getOutHelpWidth: () => WIDTH,
  });
  command.outputHelp();
  return `\`\`\`text\n${text.trim()}\n\`\`\``;
}
