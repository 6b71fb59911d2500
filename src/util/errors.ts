// SPDX-License-Identifier: AGPL-3.0-or-later

import type { ErrorCode } from "./error-codes.ts";

export type { ErrorCode } from "./error-codes.ts";

/**
 * The one error type the product throws: at start-up, for bad input from the operator and for programmer
 * faults, never on the packet path. The message says what failed and what to do about it.
 */
export class NamError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "NamError";
    this.code = code;
  }
}

/** The text of anything thrown, for a log line or a wrapped message. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
