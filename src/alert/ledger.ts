// SPDX-License-Identifier: AGPL-3.0-or-later
import { type Anomaly, SEVERITIES, type Severity } from "../detect/detector.ts";
import type { EventFate } from "./metrics.ts";

/** Open anomalies remembered for a channel; detectors bound their own number, so this is only a backstop. */
const REMEMBERED_MAX = 8_192;

export type Telling = "open" | "update" | "resolved";

export interface LedgerRules {
  readonly minimumSeverity: Severity;
  readonly sendResolved: boolean;
}

interface Told {
  readonly severity: Severity;
  /** False if it was only one of "17 more": its reader does not know it by name. */
  readonly named: boolean;
}

/** What the readers of one channel know: which open anomalies they were told, and how bad they were. */
export class Ledger {
  #rules: LedgerRules;
  readonly #told = new Map<string, Told>();

  constructor(rules: LedgerRules) {
    this.#rules = rules;
  }

  set rules(rules: LedgerRules) {
    this.#rules = rules;
  }

  /** Whether an event is to be told here, and as what; otherwise why not. */
  judge(anomaly: Anomaly): Telling | EventFate {
    const told = this.#told.get(anomaly.id);
    if (!told) return this.#judgeUntold(anomaly);
    if (anomaly.state === "resolved") {
      if (told.named && this.#rules.sendResolved) return "resolved";
      this.#told.delete(anomaly.id);
      return "filtered";
    }
    if (isAbove(anomaly.severity, told.severity)) return told.named ? "update" : "open";
    return told.named && anomaly.state === "update" ? "update" : "superseded";
  }

  /** What telling this anomaly now would be to the reader. */
  telling(anomaly: Anomaly): Telling {
    if (!this.#told.get(anomaly.id)?.named) return "open";
    return anomaly.state === "resolved" ? "resolved" : "update";
  }

  /** A message with these anomalies was delivered; those not `named` were only counted in it. */
  delivered(anomalies: readonly Anomaly[], named: boolean): void {
    for (const { id, state, severity } of anomalies) {
      const isKnown = named || this.#told.get(id)?.named === true;
      this.#told.delete(id);
      if (state !== "resolved") this.#told.set(id, { severity, named: isKnown });
    }
    for (const id of this.#told.keys()) {
      if (this.#told.size <= REMEMBERED_MAX) break;
      this.#told.delete(id);
    }
  }

  #judgeUntold(anomaly: Anomaly): Telling | EventFate {
    const isTold =
      anomaly.state !== "resolved" && !isAbove(this.#rules.minimumSeverity, anomaly.severity);
    return isTold ? "open" : "filtered";
  }
}

export function isAbove(severity: Severity, other: Severity): boolean {
  return SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(other);
}

export function isTelling(verdict: Telling | EventFate): verdict is Telling {
  return verdict === "open" || verdict === "update" || verdict === "resolved";
}
