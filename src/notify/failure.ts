// SPDX-License-Identifier: AGPL-3.0-or-later
import { REFUSED_ADDRESS } from "./target.ts";

/** The code of the error that ends a connection which was not made in time. */
export const CONNECT_TIMEOUT = "NAM_CONNECT_TIMEOUT";

/** Why an attempt got no answer. `detail` holds neither URL nor secret. */
export interface Failure {
  readonly kind: "failure";
  readonly reason: "network" | "timeout";
  readonly detail: string;
}

/** How an attempt ended that threw `error`; the error's own message is never looked at, since it may hold a URL. */
export function failureOf(
  error: unknown,
  attempt: {
    readonly label: string;
    readonly timeoutMs: number;
    /** The caller wanted no more. */
    readonly isStopped: boolean;
    readonly isLate: boolean;
  },
): Failure {
  const { label, timeoutMs } = attempt;
  const code = codeOf(error);
  if (attempt.isStopped) {
    return { kind: "failure", reason: "network", detail: "stopped before an answer" };
  }
  if (attempt.isLate || code === CONNECT_TIMEOUT || code === "ETIMEDOUT") {
    const detail = `${label} gave no answer in ${timeoutMs / 1_000} s`;
    return { kind: "failure", reason: "timeout", detail };
  }
  return { kind: "failure", reason: "network", detail: `${label}: ${explain(code)}` };
}

function explain(code: string | undefined): string {
  switch (code) {
    case "ECONNREFUSED":
      return "the connection was refused";
    case "ECONNRESET":
    case "EPIPE":
    case "ERR_STREAM_PREMATURE_CLOSE":
      return "the connection broke off";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "the host name could not be resolved";
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return "there is no route to it";
    case REFUSED_ADDRESS:
      return "its name resolves to an address that is not public; allow_private: true permits that";
    default:
      return `the request failed${code === undefined ? "" : ` (${code})`}`;
  }
}

/** The error's code, from it or from what caused it; nodemailer keeps the one of TLS or the socket in `originalCode`. */
export function codeOf(error: unknown): string | undefined {
  const { code, originalCode, cause } = (error ?? {}) as Readonly<Record<string, unknown>>;
  for (const candidate of [originalCode, code]) {
    if (typeof candidate === "string" && /^[A-Z][A-Z0-9_]{2,48}$/.test(candidate)) return candidate;
  }
  return cause === undefined ? undefined : codeOf(cause);
}
