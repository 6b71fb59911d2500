// SPDX-License-Identifier: AGPL-3.0-or-later
import { inspect } from "node:util";
import { NamError } from "../util/errors.ts";
import type { Output } from "./command.ts";

/** How the program ends, for scripts and service managers. */
export const ExitCode = {
  OK: 0,
  FAILED: 1,
  /** Wrong usage or configuration: starting again does not help. */
  USAGE: 2,
  /** No permission to capture; systemd and others know 77 as EX_NOPERM (sysexits.h). */
  PERMISSION: 77,
} as const;

const WAYS_TO_CAPTURE = `
Ways to get the permission:
  root             sudo npm start
  one capability   sudo setcap cap_net_raw+ep "$(readlink -f "$(command -v node)")"   (for every program that Node runs)
  systemd          AmbientCapabilities=CAP_NET_RAW, as in deploy/systemd
  container        docker run --cap-add NET_RAW --network host ...
To see it work without any of them: npm run demo
`;

export function exitCodeOf(error: unknown): number {
  if (!(error instanceof NamError)) return ExitCode.FAILED;
  switch (error.code) {
    case "CAPTURE_PERMISSION":
      return ExitCode.PERMISSION;
    case "CONFIG_READ":
    case "CONFIG_INVALID":
    case "USAGE":
      return ExitCode.USAGE;
    default:
      return ExitCode.FAILED;
  }
}

/** Says what failed and what to do. The stack is for faults of the program itself only. */
export function reportError(error: unknown, stderr: Output): void {
  if (!(error instanceof NamError) || error.code === "INTERNAL") {
    stderr.write(`nam: this is a fault of the program, please report it:\n${inspect(error)}\n`);
    return;
  }
  stderr.write(`nam: ${error.message} [${error.code}]\n`);
  if (error.code === "CAPTURE_PERMISSION") stderr.write(WAYS_TO_CAPTURE);
}
