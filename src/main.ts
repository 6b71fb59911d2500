// SPDX-License-Identifier: AGPL-3.0-or-later
import { ReplayThread } from "./replay-thread.ts";

const args = process.argv.slice(2);
// Before anything else is loaded, so that both are loaded at the same time.
const replayThread = args[0] === "replay" ? new ReplayThread() : undefined;

/** A reader that went away, e.g. `nam metrics | head`, is no reason to stop. */
function ignoreBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}

/** Resolves once everything written so far has reached the reader, or the reader is gone. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}

process.stdout.on("error", ignoreBrokenPipe);
process.stderr.on("error", ignoreBrokenPipe);

async function main(): Promise<never> {
  const { runProgram } = await import("./commands/program.ts");
  const exitCode = await runProgram(args, process, replayThread);
  // A pipe takes 64 KiB at a time; what waits behind them would end with the process.
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(exitCode);
}

void main();
