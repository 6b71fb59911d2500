// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Response } from "express";

/** Why a request was not answered, as clients can tell by program. */
export type ProblemCode =
  | "bad_request"
  | "unauthorized"
  | "forbidden"
  | "not_found"
  | "method_not_allowed"
  | "too_large"
  | "too_many_requests"
  | "reload_failed"
  | "internal";

/** Answers with `{"error": {"code", "message"}}`. */
export function sendProblem(
  response: Response,
  status: number,
  code: ProblemCode,
  message: string,
): void {
  response.status(status).json({ error: { code, message } });
}

export function sendLine(response: Response, status: number, line: string): void {
  response.status(status).type("text/plain").send(`${line}\n`);
}
