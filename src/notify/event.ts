// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Alert } from "../alert/alert.ts";
import type { Anomaly } from "./parts.ts";
import { clean } from "./text.ts";

/** Generous: this is for machines, but not for names of 64 KB. */
const TEXT_MAX = 1_024;
const EVIDENCE_MAX = 5;

/** Every channel asks for the same. */
const usual = new WeakMap<Anomaly, Anomaly>();

/** An anomaly with control characters taken from its texts, each at most `max` UTF-16 units: terminals obey them. */
export function cleanEvent(anomaly: Anomaly, max = TEXT_MAX): Anomaly {
  const known = max === TEXT_MAX ? usual.get(anomaly) : undefined;
  if (known !== undefined) return known;
  const bounded = { ...anomaly, evidence: anomaly.evidence.slice(0, EVIDENCE_MAX) };
  // Only strings change, and they stay strings.
  const event = cleaned(bounded, max) as Anomaly;
  if (max === TEXT_MAX) usual.set(anomaly, event);
  return event;
}

function cleaned(value: unknown, max: number): unknown {
  if (typeof value === "string") return clean(value, max);
  if (Array.isArray(value)) return value.map((part) => cleaned(part, max));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, cleaned(part, max)]));
}

/** A sign of the agent itself where a channel of events gets a message without one. */
export function noticeOf(alert: Alert): {
  readonly kind: "test" | "heartbeat";
  readonly text: string;
} {
  return alert.heartbeat
    ? { kind: "heartbeat", text: "sign of life" }
    : { kind: "test", text: "test message" };
}

/** UTC milliseconds since 1970 as RFC 3339, also where a time is beyond what a date can be. */
export function isoTime(timeMs: number): string {
  const bounded = Number.isFinite(timeMs) ? Math.min(Math.max(timeMs, 0), 253_402_300_799_999) : 0;
  return new Date(bounded).toISOString();
}

/** The first form that fits into `maxBytes` of UTF-8, tried with ever shorter texts; the last one in any case. */
export function fitting(maxBytes: number, build: (textMax: number) => string): string {
  let text = "";
  for (const textMax of [TEXT_MAX, 256, 96, 48, 16]) {
    text = build(textMax);
    if (Buffer.byteLength(text) <= maxBytes) break;
  }
  return text;
}
