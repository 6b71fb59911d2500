// SPDX-License-Identifier: AGPL-3.0-or-later
import { Command, CommanderError } from "commander";
import type { ReplayThread } from "../replay-thread.ts";
import { productBuild } from "../util/version.ts";
import type { CommandContext, Io } from "./command.ts";
import { ExitCode, exitCodeOf, reportError } from "./exit-codes.ts";

const VERSION_FLAG = "--version";

type Subcommand = (context: CommandContext) => Command;

/** Loaded only where it is asked for: what a command needs is most of the time that it takes. */
const SUBCOMMANDS: Readonly<Record<string, () => Promise<Subcommand>>> = {
  run: async () => (await import("./run-command.ts")).runSubcommand,
  replay: async () => (await import("./replay-command.ts")).replaySubcommand,
  "check-config": async () => (await import("./check-config.ts")).checkConfigSubcommand,
  interfaces: async () => (await import("./interfaces.ts")).interfacesSubcommand,
  "test-alert": async () => (await import("./test-alert.ts")).testAlertSubcommand,
  alerts: async () => (await import("./alerts.ts")).alertsSubcommand,
  silences: async () => (await import("./silences.ts")).silencesSubcommand,
  detectors: async () => (await import("./detectors.ts")).detectorsSubcommand,
  metrics: async () => (await import("./metrics.ts")).metricsSubcommand,
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
    const program = await createProgram({ io, finish, replayThread }, args[0]);
    await program.parseAsync(args, { from: "user" });
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
export async function createProgram(context: CommandContext, only?: string): Promise<Command> {
  const { version, revision } = productBuild();
  const program = new Command("nam")
    .description("Watches network traffic, learns what is normal and says what is not.")
    .version(`network-anomaly-monitor ${version} (${revision})`, VERSION_FLAG, "Print the version.")
    .addHelpText("after", EXIT_CODES);
  for (const load of subcommands(only)) {
    const create = await load();
    program.addCommand(create(context));
  }
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

function subcommands(only = ""): (() => Promise<Subcommand>)[] {
  if (only === VERSION_FLAG) return [];
  return Object.hasOwn(SUBCOMMANDS, only)
    ? [SUBCOMMANDS[only] as () => Promise<Subcommand>]
    : Object.values(SUBCOMMANDS);
}

function withDescendants(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withDescendants)];
}
