// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Anomaly } from "../detect/detector.ts";

/** Keys and identifiers remembered; the oldest go first. */
const REMEMBERED_MAX = 4_096;
const EVIDENCE_MAX = 5;

export interface FlapRules {
  readonly openings: number;
  readonly windowMs: number;
}

/** An event as channels are told it, and how long its message is held back. */
export interface Steady {
  readonly anomaly: Anomaly;
  readonly holdMs: number;
}

interface Key {
  openings: number[];
  /** The incident whose end is held back, or null. */
  heldId: string | null;
}

/**
 * Makes one incident of what comes and goes. From the given number of openings within the window on, an end is held back
 * for as long as the window; what opens again meanwhile goes on under the identifier it had. Times are monotonic
 * milliseconds.
 */
export class Flaps {
  #rules: FlapRules;
  readonly #keys = new Map<string, Key>();
  readonly #names = new Map<string, string>();

  constructor(rules: FlapRules) {
    this.#rules = rules;
  }

  set rules(rules: FlapRules) {
    this.#rules = rules;
  }

  accept(anomaly: Anomaly, nowMs: number): Steady {
    const key = this.#keyOf(anomaly.dedup_key);
    key.openings = key.openings.filter((atMs) => nowMs - atMs < this.#rules.windowMs);
    if (anomaly.state === "open") this.#opened(anomaly, key, nowMs);
    const id = this.#names.get(anomaly.id) ?? anomaly.id;
    const isFlapping = key.openings.length >= this.#rules.openings;
    const steady = isFlapping ? withHistory({ ...anomaly, id }, key.openings, nowMs) : anomaly;
    if (anomaly.state !== "resolved") return { anomaly: { ...steady, id }, holdMs: 0 };
    this.#names.delete(anomaly.id);
    key.heldId = isFlapping ? id : null;
    return { anomaly: { ...steady, id }, holdMs: isFlapping ? this.#rules.windowMs : 0 };
  }

  #opened({ id }: Anomaly, key: Key, nowMs: number): void {
    if (key.openings.length > 0 && key.heldId !== null) {
      bounded(this.#names, id, key.heldId);
    }
    key.heldId = null;
    key.openings.push(nowMs);
  }

  #keyOf(dedupKey: string): Key {
    const key = this.#keys.get(dedupKey) ?? { openings: [], heldId: null };
    bounded(this.#keys, dedupKey, key);
    return key;
  }
}

function withHistory(anomaly: Anomaly, openings: readonly number[], nowMs: number): Anomaly {
  const minutes = Math.max(1, Math.round((nowMs - (openings[0] ?? nowMs)) / 60_000));
  const history = `it came and went ${openings.length} times in ${minutes} min`;
  return { ...anomaly, evidence: [history, ...anomaly.evidence].slice(0, EVIDENCE_MAX) };
}

/** Sets a key as the newest, and forgets the oldest where there are too many. */
function bounded<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > REMEMBERED_MAX && oldest !== undefined) map.delete(oldest);
}
