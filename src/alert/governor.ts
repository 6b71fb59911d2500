// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Anomaly } from "../detect/detector.ts";
import type { GovernorState } from "./outbox/records.ts";
import { TokenBucket } from "./token-bucket.ts";

export type { GovernorState } from "./outbox/records.ts";

/** Spacing of messages in a storm: doubles with every token below half of the bucket. */
const SPACING_BASE_MS = 1_000;
const SPACING_MAX_MS = 30_000;
/** What was told is remembered for one window, but never for more anomalies than this. */
const REMEMBERED_MAX = 4_096;
/** Critical entities remembered over a restart. */
const STORED_MAX = 256;

export interface GovernorRules {
  readonly maxMessages: number;
  readonly windowMs: number;
}

/**
 * Keeps one channel readable in a storm. A token bucket holds the messages a channel may get; below half of it,
 * messages come further and further apart and each tells everything that waits. The last token is kept for digests: the
 * first gathers for 1/max of the window, each next one twice as long, at most one window, until one has gathered no more
 * than could have been told one by one, or a whole gathering time passes in silence. Urgent anomalies do not wait for
 * any of this, only for the spacing. Times are monotonic milliseconds.
 */
export class Governor {
  readonly #rules: GovernorRules;
  readonly #tokens: TokenBucket;
  #lastMs = Number.NEGATIVE_INFINITY;
  /** Set while a digest gathers. */
  #holdUntilMs: number | undefined;
  #holdMs: number;
  /** When the last digest was told; undefined outside of a storm. */
  #digestMs: number | undefined;
  readonly #detectors = new Map<string, number>();
  readonly #criticals = new Map<string, number>();

  constructor(rules: GovernorRules, nowMs: number, state?: GovernorState) {
    this.#rules = rules;
    this.#tokens = new TokenBucket(
      rules.maxMessages,
      (rules.maxMessages * 1_000) / rules.windowMs,
      Math.min(nowMs, state?.atMs ?? nowMs),
      state?.tokens,
    );
    this.#holdMs = this.#shareMs;
    if (!state) return;
    // Nothing of the past is later than now, also where the wall clock was set back.
    const past = (atMs: number): number => Math.min(nowMs, atMs);
    if (state.lastMs !== null) this.#lastMs = past(state.lastMs);
    if (state.digestMs !== null) this.#digestMs = past(state.digestMs);
    this.#holdMs = Math.min(rules.windowMs, Math.max(this.#shareMs, state.holdMs));
    for (const [name, atMs] of state.detectors) this.#detectors.set(name, past(atMs));
    for (const [key, atMs] of state.criticals) this.#criticals.set(key, past(atMs));
  }

  /** What a later run needs to go on as if it were this one. */
  state(nowMs: number): GovernorState {
    return {
      tokens: this.#tokens.level(nowMs),
      atMs: nowMs,
      lastMs: Number.isFinite(this.#lastMs) ? this.#lastMs : null,
      holdMs: this.#holdMs,
      digestMs: this.#digestMs ?? null,
      detectors: [...this.#detectors],
      criticals: [...this.#criticals].slice(-STORED_MAX),
    };
  }

  /** True for what is new to the reader: the first of a detector, or something critical about a new entity. */
  isUrgent(anomaly: Anomaly, nowMs: number): boolean {
    if (anomaly.state === "resolved") return false;
    if (!this.#isRecent(this.#detectors.get(anomaly.detector), nowMs)) return true;
    const isCritical = anomaly.severity === "critical";
    return isCritical && !this.#isRecent(this.#criticals.get(anomaly.dedup_key), nowMs);
  }

  /** True while everything that waits is to share one message. */
  isStorm(nowMs: number): boolean {
    return this.#holdUntilMs !== undefined || this.#spacingMs(nowMs) > 0;
  }

  /**
   * When the next message should go, given when the first urgent and the first other anomaly are due (infinite where
   * there is none). May begin to hold the others back for a digest.
   */
  dueMs(nowMs: number, urgentMs: number, otherMs: number): number {
    const spacedMs = this.#lastMs + this.#spacingMs(nowMs);
    const urgentAtMs = Math.max(urgentMs, spacedMs);
    if (otherMs === Number.POSITIVE_INFINITY) return urgentAtMs;
    if (!this.#holds(nowMs)) {
      return Math.min(urgentAtMs, Math.max(otherMs, spacedMs));
    }
    this.#holdUntilMs ??= otherMs + this.#holdMs;
    const digestAtMs = Math.max(this.#holdUntilMs, otherMs, this.#tokens.readyMs(nowMs));
    return Math.min(urgentAtMs, digestAtMs);
  }

  /** A message with these anomalies was delivered. */
  delivered(anomalies: readonly Anomaly[], nowMs: number): void {
    this.#tokens.take(nowMs);
    this.#lastMs = nowMs;
    if (this.#holdUntilMs !== undefined) this.#digested(anomalies.length, nowMs);
    for (const { detector, severity, dedup_key } of anomalies) {
      remember(this.#detectors, detector, nowMs);
      if (severity === "critical") remember(this.#criticals, dedup_key, nowMs);
    }
  }

  #digested(count: number, nowMs: number): void {
    this.#holdUntilMs = undefined;
    if (count <= this.#holdMs / this.#shareMs) this.#endStorm();
    else {
      this.#digestMs = nowMs;
      this.#holdMs = Math.min(this.#rules.windowMs, 2 * this.#holdMs);
    }
  }

  #endStorm(): void {
    this.#digestMs = undefined;
    this.#holdMs = this.#shareMs;
  }

  /** Whether what is not urgent is held back for a digest. */
  #holds(nowMs: number): boolean {
    if (this.#holdUntilMs !== undefined) return true;
    if (this.#digestMs !== undefined && nowMs - this.#digestMs > this.#holdMs) this.#endStorm();
    return this.#digestMs !== undefined || this.#tokens.level(nowMs) < 2;
  }

  /** The part of the window that one message may have. */
  get #shareMs(): number {
    return this.#rules.windowMs / this.#rules.maxMessages;
  }

  #spacingMs(nowMs: number): number {
    const missing = this.#rules.maxMessages / 2 - this.#tokens.level(nowMs);
    return missing <= 0 ? 0 : Math.min(SPACING_MAX_MS, SPACING_BASE_MS * 2 ** missing);
  }

  #isRecent(atMs: number | undefined, nowMs: number): boolean {
    return atMs !== undefined && nowMs - atMs < this.#rules.windowMs;
  }
}

/** The same state on a clock that is ahead by so much. */
export function shifted(state: GovernorState, byMs: number): GovernorState {
  const move = ([name, atMs]: readonly [string, number]): [string, number] => [name, atMs + byMs];
  return {
    ...state,
    atMs: state.atMs + byMs,
    lastMs: state.lastMs === null ? null : state.lastMs + byMs,
    digestMs: state.digestMs === null ? null : state.digestMs + byMs,
    detectors: state.detectors.map(move),
    criticals: state.criticals.map(move),
  };
}

function remember(times: Map<string, number>, key: string, nowMs: number): void {
  times.delete(key);
  times.set(key, nowMs);
  const [oldest] = times.keys();
  if (times.size > REMEMBERED_MAX && oldest !== undefined) times.delete(oldest);
}
