// SPDX-License-Identifier: AGPL-3.0-or-later
import { Command, CommanderError } from "commander";
import type { ReplayThread } from "../replay-thread.ts";
import { productBuild } from "../util/version.ts";
import { alertsSubcommand } from "./alerts.ts";
import { checkConfigSubcommand } from "./check-config.ts";
import type { CommandContext, Io } from "./command.ts";
import { detectorsSubcommand } from "./detectors.ts";
import { ExitCode, exitCodeOf, reportError } from "./exit-codes.ts";
import { interfacesSubcommand } from "./interfaces.ts";
import { metricsSubcommand } from "./metrics.ts";
import { replaySubcommand } from "./replay-command.ts";
import { runSubcommand } from "./run-command.ts";
import { silencesSubcommand } from "./silences.ts";
import { testAlertSubcommand } from "./test-alert.ts";

const SUBCOMMANDS: Readonly<Record<string, (context: CommandContext) => Command>> = {
  run: runSubcommand,
  replay: replaySubcommand,
  "check-config": checkConfigSubcommand,
  interfaces: interfacesSubcommand,
  "test-alert": testAlertSubcommand,
  alerts: alertsSubcommand,
  silences: silencesSubcommand,
  detectors: detectorsSubcommand,
  metrics: metricsSubcommand,
};

const EXIT_CODES = `
Every setting can also come from the configuration file or from a variable, e.g. NAM_WEB_LISTEN_ADDRESS.
Exit codes: 0 ok, 1 failed, 2 wrong usage or configuration, 77 no permission to capture.
`;

/**
 * Runs one command line (without node and script) and returns its exit code; never throws, never exits. A replay
 * reads packets in the thread it is given.
 */
export async function runProgram(
  args: readonly string[],
  io: Io,
  replayThread?: ReplayThread,
): Promise<number> {
  let exitCode: number = ExitCode.OK;
  const finish = (code: number): void => {
    exitCode = code;
  };
  try {
    await createProgram({ io, finish, replayThread }, args[0]).parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.OK : ExitCode.USAGE;
    reportError(error, io.stderr);
    return exitCodeOf(error);
  }
}

/**
 * The command line as `--help` and docs/cli.md show it. Given the name of a command it holds that one only: making
 * the flags of all of them takes longer than most replays.
 */
export function createProgram(context: CommandContext, only?: string): Command {
  const { version, revision } = productBuild();
  const program = new Command("nam")
    .description("Watches network traffic, learns what is normal and says what is not.")
    .version(`network-anomaly-monitor ${version} (${revision})`, "--version", "Print the version.")
    .addHelpText("after", EXIT_CODES);
  const create = only === undefined ? undefined : SUBCOMMANDS[only];
  for (const make of create ? [create] : Object.values(SUBCOMMANDS))
    program.addCommand(make(context));
  for (const command of withDescendants(program)) {
    command
      .helpOption("-h, --help", "Print this help.")
      .exitOverride()
      .configureOutput({
        writeOut: (text) => void context.io.stdout.write(text),
        writeErr: (text) => void context.io.stderr.write(text),
      });
  }
  for (const command of program.commands) command.helpCommand(false);
  return program.helpCommand("help [command]", "Print the help of a command.");
}

function withDescendants(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withDescendants)];
}
