// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Command } from "commander";
import { createProgram } from "../../src/commands/program.ts";
import { page } from "./markdown.ts";

const WIDTH = 110;

export async function cliDocument(): Promise<string> {
  const program = await createProgram({
    io: { env: {}, stdout: { write: () => true }, stderr: { write: () => true } },
    finish: () => undefined,
  });
  return page(
    "# Command line",
    "`network-anomaly-monitor`, or `nam` for short. Unknown flags are errors.",
    helpOf(program),
    ...program.commands.flatMap((command) => sectionsOf(command, "nam")),
  );
}

/** A command and the commands below it. */
function sectionsOf(command: Command, parent: string): string[] {
  const name = `${parent} ${command.name()}`;
  const below = command.commands.flatMap((child) => sectionsOf(child, name));
  return [`## ${name}`, helpOf(command), ...below];
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
