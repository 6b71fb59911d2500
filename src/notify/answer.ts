// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Delivery } from "../alert/alert.ts";
import type { HttpResult } from "./http.ts";

type Answer = Extract<HttpResult, { kind: "answer" }>;

/** What a vendor's answers mean beyond their status. Words must come from a fixed set: an answer may echo the URL. */
export interface AnswerReading {
  /** Who answered, for messages. */
  readonly label: string;
  readonly nowMs: number;
  /** Reason the vendor gives in the body, in words fit for a log. */
  reason?(answer: Answer): string | undefined;
  /** Waits the vendor asks for in the body or in its own headers, in milliseconds. */
  waits?(answer: Answer): readonly (number | undefined)[];
  /** Silence wanted after a success. */
  pauseMs?(answer: Answer): number | undefined;
}

/** Classifies one answer or failure of a webhook. */
export function deliveryOf(result: HttpResult, reading: AnswerReading): Delivery {
  if (result.kind === "failure") {
    return { outcome: "retry", reason: result.reason, detail: result.detail };
  }
  const { status } = result;
  const word = reading.reason?.(result);
  const detail = `${reading.label} answered ${status}${word ? ` (${word})` : ""}`;
  if (status >= 200 && status < 300) {
    const pauseMs = reading.pauseMs?.(result);
    return { outcome: "delivered", detail, ...(pauseMs === undefined ? {} : { pauseMs }) };
  }
  if (status >= 300 && status < 400) {
    return {
      outcome: "rejected",
      reason: "rejected",
      detail: `${detail}: redirects are not followed`,
    };
  }
  return refusal(result, detail, reading);
}

function refusal(answer: Answer, detail: string, reading: AnswerReading): Delivery {
  switch (answer.status) {
    case 401:
    case 403:
      return { outcome: "disabled", reason: "unauthorized", detail };
    case 404:
    case 410:
      return { outcome: "disabled", reason: "gone", detail };
    case 408:
      return retry("timeout", answer, detail, reading);
    case 425:
      return retry("server_error", answer, detail, reading);
    case 429:
      return retry("rate_limited", answer, detail, reading);
    default:
      return answer.status >= 500
        ? retry("server_error", answer, detail, reading)
        : { outcome: "rejected", reason: "rejected", detail };
  }
}

function retry(
  reason: "timeout" | "server_error" | "rate_limited",
  answer: Answer,
  detail: string,
  reading: AnswerReading,
): Delivery {
  const header = parseRetryAfter(answer.header("retry-after"), reading.nowMs);
  const waits = [header, ...(reading.waits?.(answer) ?? [])].filter((wait) => wait !== undefined);
  const retryAfter = waits.length > 0 ? { retryAfterMs: Math.max(...waits) } : {};
  return { outcome: "retry", reason, detail, ...retryAfter };
}

/**
 * `Retry-After` in milliseconds from now: seconds or an HTTP date (RFC 9110 §10.2.3). Undefined if absent or neither.
 */
export function parseRetryAfter(value: string | null, nowMs: number): number | undefined {
  const seconds = parseSeconds(value);
  if (seconds !== undefined) return seconds;
  const dateMs = value === null ? Number.NaN : Date.parse(value);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}

/** A number of seconds, maybe with a fraction, in milliseconds. */
export function parseSeconds(value: unknown): number | undefined {
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text !== "string" || !/^\s*\d{1,9}(\.\d{1,9})?\s*$/.test(text)) return undefined;
  return Math.ceil(Number(text) * 1_000);
}
