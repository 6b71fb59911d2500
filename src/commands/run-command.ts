// SPDX-License-Identifier: AGPL-3.0-or-later
import { Command } from "commander";
import type { CommandContext } from "./command.ts";
import { addConfigFlags, readConfig } from "./config-flags.ts";

const EXAMPLES = `
Examples:
  nam run                                          the interface of the default route
  nam run --interface eth0 --interface eth1        two interfaces
  nam run --interface any --capture.filter "not port 22"
  nam run --config.file /etc/nam/nam.yml --web.listen-address :9977
  nam run --stealth --web.listen-address unix:/run/nam.sock
`;

/** `nam run`. */
export function runSubcommand({ io, finish }: CommandContext): Command {
  const command = new Command("run").description("Capture, detect, alert and serve until stopped.");
  addConfigFlags(command, [
    "--interface <name>",
    "--capture.source <source>",
    "--capture.filter <filter>",
    "--stealth",
    "--web.listen-address <address>",
    "--web.config.file <file>",
    "--web.telemetry-path <path>",
    "--storage.path <folder>",
    "--log.level <level>",
    "--log.format <format>",
  ]);
  return command
    .option("--config.check", "Check the configuration, say what is wrong, and end.")
    .addHelpText("after", EXAMPLES)
    .action(async (options: { readonly "config.check"?: true }) => {
      const { loaded, reload } = await readConfig(command, io);
      if (options["config.check"]) {
        io.stdout.write("The configuration is valid.\n");
        return;
      }
      const { runCommand } = await import("./run.ts");
      finish(await runCommand({ config: loaded, reload, io }));
    });
}
