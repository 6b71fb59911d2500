// SPDX-License-Identifier: AGPL-3.0-or-later
import { Command } from "commander";
import { loadConfig } from "../config/load.ts";
import { createChannels } from "../notify/all.ts";
import { readWebConfig } from "../server/web-config.ts";
import { NamError } from "../util/errors.ts";
import { createLog } from "../util/log.ts";
import type { CommandContext } from "./command.ts";
import { ExitCode, reportError } from "./exit-codes.ts";

const EXAMPLES = `
Examples:
  nam check-config /etc/nam/nam.yml
  nam check-config nam.yml && kill -HUP "$(pidof nam)"
`;

/** `nam check-config`: the file, and every file it points to, as `nam run` would find them. */
export function checkConfigSubcommand({ io, finish }: CommandContext): Command {
  return new Command("check-config")
    .description("Check a configuration file and say what is wrong, with line and path.")
    .argument("<file>", "Configuration file (YAML).")
    .addHelpText("after", EXAMPLES)
    .action((file: string) => {
      try {
        check(file);
        io.stdout.write(`${file}: valid\n`);
      } catch (error) {
        if (!(error instanceof NamError)) throw error;
        reportError(error, io.stderr);
        finish(ExitCode.USAGE);
      }
    });
}

/** The file alone decides: variables of the shell it is checked in are not those it will run with. */
function check(file: string): void {
  const { config } = loadConfig({ file, env: {}, flags: [] });
  if (config.web.config_file !== null) readWebConfig(config.web.config_file);
  createChannels(config.channels, {
    log: createLog({ level: "silent", format: "json" }),
    stealth: config.stealth,
  });
}
