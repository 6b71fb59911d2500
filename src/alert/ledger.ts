// SPDX-License-Identifier: AGPL-3.0-or-later
import { type Anomaly, SEVERITIES, type Severity } from "../detect/detector.ts";
import type { ChannelStore } from "./channel-store.ts";
import type { Admission } from "./gate.ts";
import type { EventFate } from "./metrics.ts";
import type { StoredTold } from "./outbox/records.ts";

/** Open anomalies remembered for a channel; detectors bound their own number, so this is only a backstop. */
const REMEMBERED_MAX = 8_192;

export type Telling = "open" | "update" | "resolved";

/** What the readers of one channel know: which open anomalies they were told, and how bad they were. */
export class Ledger {
  readonly #store: ChannelStore;
  /** Not `named`: it was only one of "17 more", and its reader does not know it by name. */
  readonly #told: Map<string, StoredTold>;

  constructor(store: ChannelStore) {
    this.#store = store;
    this.#told = new Map(store.told());
  }

  /** Whether an event is to be told here, and as what; otherwise why not. */
  judge(anomaly: Anomaly, { refusal, sendResolved }: Admission): Telling | EventFate {
    const told = this.#told.get(anomaly.id);
    if (anomaly.state === "resolved") {
      // The end of what was told is told whatever is silenced now: readers wait for it.
      if (told?.named && sendResolved) return "resolved";
      this.#forget(anomaly.id);
      return "filtered";
    }
    if (refusal !== null) return refusal;
    if (!told) return "open";
    if (isAbove(anomaly.severity, told.severity)) return told.named ? "update" : "open";
    return told.named && anomaly.state === "update" ? "update" : "superseded";
  }

  /** True if the readers know the anomaly by name. */
  knows(id: string): boolean {
    return this.#told.get(id)?.named === true;
  }

  /** True if the readers do not know it by name, or not how bad it has become. */
  isNews({ id, severity }: Anomaly): boolean {
    const told = this.#told.get(id);
    return !told?.named || isAbove(severity, told.severity);
  }

  /** What telling this anomaly now would be to the reader. */
  telling(anomaly: Anomaly): Telling {
    if (!this.knows(anomaly.id)) return "open";
    return anomaly.state === "resolved" ? "resolved" : "update";
  }

  /** A message with these anomalies was delivered; those not `named` were only counted in it. */
  delivered(anomalies: readonly Anomaly[], named: boolean): void {
    for (const { id, state, severity } of anomalies) {
      const told = { severity, named: named || this.knows(id) };
      this.#forget(id);
      if (state === "resolved") continue;
      this.#told.set(id, told);
      this.#store.know(id, told);
    }
    for (const id of this.#told.keys()) {
      if (this.#told.size <= REMEMBERED_MAX) break;
      this.#forget(id);
    }
  }

  #forget(id: string): void {
    if (this.#told.delete(id)) this.#store.forget(id);
  }
}

export function isAbove(severity: Severity, other: Severity): boolean {
  return SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(other);
}

export function isTelling(verdict: Telling | EventFate): verdict is Telling {
  return verdict === "open" || verdict === "update" || verdict === "resolved";
}
