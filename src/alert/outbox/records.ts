// SPDX-License-Identifier: AGPL-3.0-or-later
import { type Anomaly, SEVERITIES, type Severity } from "../../detect/detector.ts";
import type { DeliveryReason } from "../alert.ts";
import type { Silence } from "../silence.ts";

/** An anomaly that waits for a channel. Times of everything stored are milliseconds since 1970. */
export interface StoredEntry {
  readonly anomaly: Anomaly;
  readonly severity: Severity;
  readonly acceptedMs: number;
  readonly dueMs: number;
  readonly heldUntilMs: number;
}

/** What the readers of a channel know of an open anomaly. */
export interface StoredTold {
  readonly severity: Severity;
  readonly named: boolean;
}

/** What must not start afresh with the program: how much a channel was told lately, and the silence its vendor asked for. */
export interface StoredLine {
  readonly pauseUntilMs: number;
  readonly governor: GovernorState;
}

/** The memory of a channel's governor. */
export interface GovernorState {
  readonly tokens: number;
  readonly atMs: number;
  readonly lastMs: number | null;
  readonly holdMs: number;
  readonly digestMs: number | null;
  readonly detectors: readonly (readonly [string, number])[];
  readonly criticals: readonly (readonly [string, number])[];
}

/** An anomaly that was given up on a channel. */
export interface DeadLetter {
  readonly anomaly: Anomaly;
  readonly severity: Severity;
  readonly reason: DeliveryReason | "expired";
  readonly atMs: number;
}

/** What another program asks the running agent to do with what is stored. */
export interface StoredRequest {
  readonly action: "retry" | "purge";
  /** `dead`: what was given up. `waiting`: what is still to be told. */
  readonly what: "dead" | "waiting";
  /** All channels where null. */
  readonly channel: string | null;
  /** Incident ids; all where empty. */
  readonly ids: readonly string[];
}

/** Who has the outbox open, so that other programs know whom to ask. */
export interface StoredOwner {
  readonly pid: number;
  readonly host: string;
}

/** Everything that is stored, by kind. */
export interface Bodies {
  readonly waiting: StoredEntry;
  readonly told: StoredTold;
  readonly line: StoredLine;
  /** An open incident, as it was last told by its detector. */
  readonly incident: Anomaly;
  readonly silence: Silence;
  readonly dead: DeadLetter;
  readonly request: StoredRequest;
  readonly owner: StoredOwner;
}
export type Kind = keyof Bodies;

/** One stored thing. `channel` is empty for what belongs to none. */
export interface StoredRecord<K extends Kind = Kind> {
  readonly kind: K;
  readonly channel: string;
  readonly id: string;
  readonly body: Bodies[K];
}

/** One row of the table as the database gives it. */
export interface Row {
  readonly kind: string;
  readonly channel: string;
  readonly id: string;
  readonly body: string;
}

/** The record of a row, or null for what another version or a stranger left there. */
export function recordOf({ kind, channel, id, body }: Row): StoredRecord | null {
  try {
    const value: unknown = JSON.parse(body);
    if (!isObject(value) || !Object.hasOwn(CHECKS, kind)) return null;
    const known = kind as Kind;
    // The product wrote the row; what the check looks at is what the code relies on.
    return CHECKS[known](value) ? { kind: known, channel, id, body: value as never } : null;
  } catch {
    return null;
  }
}

type Fields = Readonly<Record<string, unknown>>;

const CHECKS: Readonly<Record<Kind, (body: Fields) => boolean>> = {
  waiting: ({ anomaly, severity, acceptedMs, dueMs, heldUntilMs }) =>
    isAnomaly(anomaly) && isSeverity(severity) && areNumbers(acceptedMs, dueMs, heldUntilMs),
  told: ({ severity, named }) => isSeverity(severity) && typeof named === "boolean",
  line: ({ pauseUntilMs, governor }) =>
    areNumbers(pauseUntilMs) &&
    isObject(governor) &&
    areNumbers(governor.tokens, governor.atMs, governor.holdMs) &&
    [governor.detectors, governor.criticals].every(isPairs),
  incident: isAnomaly,
  silence: ({ matchers, reason, author, starts, ends }) =>
    isObject(matchers) &&
    areNumbers(starts, ends) &&
    typeof reason === "string" &&
    typeof author === "string",
  dead: ({ anomaly, severity, atMs }) =>
    isAnomaly(anomaly) && isSeverity(severity) && areNumbers(atMs),
  request: ({ action, what, ids }) =>
    (action === "retry" || action === "purge") &&
    (what === "dead" || what === "waiting") &&
    Array.isArray(ids),
  owner: ({ pid, host }) => areNumbers(pid) && typeof host === "string",
};

function isAnomaly(value: unknown): boolean {
  return (
    isObject(value) &&
    [value.id, value.detector, value.dedup_key, value.state].every(isText) &&
    isSeverity(value.severity) &&
    areNumbers(value.time, value.first_seen) &&
    isObject(value.entity) &&
    isText(value.entity.key) &&
    isObject(value.threshold) &&
    isObject(value.suggestion) &&
    Array.isArray(value.evidence)
  );
}

function isPairs(value: unknown): boolean {
  return Array.isArray(value) && value.every((pair) => isText(pair?.[0]) && areNumbers(pair?.[1]));
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

function areNumbers(...values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === "number");
}

function isSeverity(value: unknown): boolean {
  return SEVERITIES.includes(value as Severity);
}
