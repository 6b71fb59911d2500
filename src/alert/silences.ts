// SPDX-License-Identifier: AGPL-3.0-or-later
import { randomUUID } from "node:crypto";
import type { Anomaly } from "../detect/detector.ts";
import type { GaugeInstrument } from "../metrics/registry.ts";
import type { Clock } from "../util/clock.ts";
import type { Outbox } from "./outbox/outbox.ts";
import { endOfWindowMs, type WeeklyWindow } from "./schedule.ts";
import { type Matchers, matches, type Silence } from "./silence.ts";

/** Silences that are over are listed this long. */
const KEEP_MS = 86_400_000;
/** More than anybody oversees. */
export const SILENCES_MAX = 1_000;

/** Maintenance from the configuration: a silence that comes back every week. */
export interface Maintenance {
  readonly name: string;
  readonly reason: string;
  readonly windows: readonly WeeklyWindow[];
  /** Everything where it is left out. */
  readonly match?: Matchers;
}

/** What a new silence is made of; it gets its id and the rest by `add`. */
export type NewSilence = Pick<Silence, "matchers" | "reason" | "author" | "starts" | "ends">;

/** What keeps messages about an anomaly back. */
export type Hush = "silenced" | "maintenance";

/** Every silence and maintenance window, kept in the outbox. */
export class Silences {
  readonly #outbox: Outbox;
  readonly #clock: Clock;
  readonly #active: GaugeInstrument;
  #maintenance: readonly Maintenance[];

  constructor(options: {
    readonly outbox: Outbox;
    readonly clock: Clock;
    readonly active: GaugeInstrument;
    readonly maintenance: readonly Maintenance[];
  }) {
    this.#outbox = options.outbox;
    this.#clock = options.clock;
    this.#active = options.active;
    this.#maintenance = options.maintenance;
  }

  set maintenance(maintenance: readonly Maintenance[]) {
    this.#maintenance = maintenance;
  }

  /** Every silence, the ones that are over for less than a day included, newest first. */
  list(): Silence[] {
    return this.#outbox
      .list("silence")
      .map(({ body }) => body)
      .sort((a, b) => b.created - a.created);
  }

  /** Every maintenance window of the configuration, and until when it lasts where it does now (UTC seconds). */
  maintained(): { name: string; reason: string; until: number | null }[] {
    const nowMs = this.#clock.now();
    return this.#maintenance.map(({ name, reason, windows }) => {
      const endMs = endOfWindowMs(windows, nowMs);
      return { name, reason, until: endMs === null ? null : endMs / 1_000 };
    });
  }

  /** Adds one; null where there are too many. */
  add(silence: NewSilence): Silence | null {
    this.expire();
    if (this.#outbox.list("silence").length >= SILENCES_MAX) return null;
    const added = { ...silence, id: randomUUID().slice(0, 8), created: this.#clock.now() / 1_000 };
    this.#outbox.set("silence", "", added.id, added);
    return added;
  }

  /** Ends and forgets one; false where there is none of this id. */
  remove(id: string): boolean {
    const isKnown = this.#outbox.get("silence", "", id) !== undefined;
    this.#outbox.delete("silence", "", id);
    return isKnown;
  }

  /** Why nothing is told about an anomaly now, or null. */
  hush(anomaly: Anomaly): Hush | null {
    const nowMs = this.#clock.now();
    const isSilenced = this.#outbox
      .list("silence")
      .some(({ body }) => isActive(body, nowMs) && matches(body.matchers, anomaly));
    if (isSilenced) return "silenced";
    const isMaintained = this.#maintenance.some(
      ({ windows, match }) =>
        (match === undefined || matches(match, anomaly)) && endOfWindowMs(windows, nowMs) !== null,
    );
    return isMaintained ? "maintenance" : null;
  }

  /** Forgets what has been over for long, and says how many are active. */
  expire(): void {
    const nowMs = this.#clock.now();
    let active = 0;
    for (const { id, body } of this.#outbox.list("silence")) {
      if (isActive(body, nowMs)) active++;
      if (nowMs > body.ends * 1_000 + KEEP_MS) this.#outbox.delete("silence", "", id);
    }
    const maintained = this.#maintenance.filter(
      ({ windows }) => endOfWindowMs(windows, nowMs) !== null,
    );
    this.#active.set({ kind: "silence" }, active);
    this.#active.set({ kind: "maintenance" }, maintained.length);
  }
}

/** True while a silence holds. */
export function isActive({ starts, ends }: Silence, nowMs: number): boolean {
  return nowMs >= starts * 1_000 && nowMs < ends * 1_000;
}
