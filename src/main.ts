#!/usr/bin/env node
// SPDX-License-Identifier: AGPL-3.0-or-later
import { runProgram } from "./commands/program.ts";

/** A reader that went away, e.g. `nam metrics | head`, is no reason to stop. */
function ignoreBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}

process.stdout.on("error", ignoreBrokenPipe);
process.stderr.on("error", ignoreBrokenPipe);
process.exit(await runProgram(process.argv.slice(2), process));
