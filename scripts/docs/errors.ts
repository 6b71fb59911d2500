// SPDX-License-Identifier: AGPL-3.0-or-later
import { exitCodeOf } from "../../src/commands/exit-codes.ts";
import { ERROR_CODES, type ErrorCode } from "../../src/util/error-codes.ts";
import { NamError } from "../../src/util/errors.ts";
import { code, page, table } from "./markdown.ts";

export function errorsDocument(): string {
  const rows = Object.entries(ERROR_CODES).map(([name, { cause, remedy }]) => [
    code(name),
    String(exitCodeOf(new NamError(name as ErrorCode, ""))),
    cause,
    remedy,
  ]);
  return page(
    "# Errors",
    "What fails is said in one line: what failed, what to do about it, and one of these codes at its end. The exit " +
      "code is that of a command which ends because of it: 1 failed, 2 wrong usage or configuration (starting again " +
      "does not help), 77 no permission to capture.",
    table(["Code", "Exit", "Why", "What to do"], rows),
  );
}
