// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Configured } from "../config/configured.ts";
import type { PacketJob } from "../replay-messages.ts";
import type { ReplayThread } from "../replay-thread.ts";

/** The outside world of a command; tests give it their own. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Output;
  readonly stderr: Output;
}

export interface Output {
  write(text: string): unknown;
  /** True on a terminal, where a progress bar makes sense. */
  readonly isTTY?: boolean | undefined;
}

/** What `nam replay` starts with. Paths are null where the operator did not ask for the file. */
export interface ReplayCommandOptions {
  readonly configured: Configured;
  readonly job: PacketJob;
  readonly report: string | null;
  readonly metrics: string | null;
  readonly events: string | null;
  /** Say what other thresholds would have raised. */
  readonly tune: boolean;
  /** Serve metrics, page and API meanwhile: a listen address was given on the command line. */
  readonly serve: boolean;
  /** Reads the job's packets, having begun already; without it they are read here. */
  readonly thread: ReplayThread | undefined;
  readonly io: Io;
}

/** What every command gets to be built with. */
export interface CommandContext {
  readonly io: Io;
  /** Where a replay reads packets. */
  readonly replayThread?: ReplayThread | undefined;
  /** Says how the command ended; without it the exit code is 0. */
  finish(exitCode: number): void;
}
