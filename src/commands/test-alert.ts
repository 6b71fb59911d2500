// SPDX-License-Identifier: AGPL-3.0-or-later
import { Command } from "commander";
import { sendTest } from "../alert/test-alert.ts";
import { type Channel, createChannels } from "../notify/all.ts";
import { systemClock } from "../util/clock.ts";
import { NamError } from "../util/errors.ts";
import { nearest } from "../util/nearest.ts";
import type { CommandContext } from "./command.ts";
import { addConfigFlags, readConfig } from "./config-flags.ts";
import { ExitCode } from "./exit-codes.ts";
import { openLog } from "./open-log.ts";

const EXAMPLES = `
Examples:
  nam test-alert --config.file /etc/nam/nam.yml
  nam test-alert --config.file nam.yml --channel slack
`;

/** `nam test-alert`: one real message to each channel, or to the one that is named. */
export function testAlertSubcommand({ io, finish }: CommandContext): Command {
  const command = new Command("test-alert")
    .description("Send one real test message and print the channel's answer.")
    .option("--channel <name>", "The channel to test (default: every one that is configured)");
  addConfigFlags(command, ["--stealth", "--log.level <level>", "--log.format <format>"]);
  return command
    .addHelpText("after", EXAMPLES)
    .action(async ({ channel: wanted }: { readonly channel?: string }) => {
      const { loaded } = await readConfig(command, io);
      const { config } = loaded;
      const log = openLog(loaded, io);
      const all = createChannels(config.channels, { log, stealth: config.stealth });
      const agent = config.agent.name;
      for (const { name, notifier } of choose(all, wanted)) {
        const delivery = await sendTest(notifier, { agent, clock: systemClock });
        io.stdout.write(`${name}: ${delivery.outcome}: ${delivery.detail}\n`);
        if (delivery.outcome !== "delivered") finish(ExitCode.FAILED);
        await notifier.close?.();
      }
    });
}

function choose(all: readonly Channel[], wanted: string | undefined): readonly Channel[] {
  if (wanted === undefined) return all;
  const chosen = all.filter(({ name }) => name === wanted);
  if (chosen.length > 0) return chosen;
  const names = all.map(({ name }) => name);
  const guess = nearest(wanted, names);
  throw new NamError(
    "USAGE",
    `no channel is called "${wanted}"; ${guess ? `did you mean "${guess}"?` : `there are: ${names.join(", ") || "none"}`}`,
  );
}
