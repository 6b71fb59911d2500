// SPDX-License-Identifier: AGPL-3.0-or-later

/** What the server asks of the product. None of these may take long: they run between two scrapes. */
export interface ServerCallbacks {
  ready(): { readonly ready: boolean; readonly reason: string };
  /** Resolves when the new configuration runs; rejects with NamError, and the old one goes on, when it cannot. */
  reload(): Promise<void>;
  status(): AgentStatus;
  events(query: EventQuery): EventPage;
  readonly silences: SilenceCallbacks;
  /** What is open, and how each channel is doing. */
  alerts(): unknown;
  /** The running configuration; its secrets print as `<secret>`. */
  config(): unknown;
}

/** Silences hide messages, never events or metrics. */
export interface SilenceCallbacks {
  /** Every silence and maintenance window. */
  list(): unknown;
  /** Adds what the request's body asks for; `problem` says in words what is wrong with it. */
  add(input: unknown): { readonly silence: unknown } | { readonly problem: string };
  /** False where there is none of this id. */
  remove(id: string): boolean;
}

/** What the landing page shows and `/api/v1/status` answers. Times are UTC seconds. */
export interface AgentStatus {
  /** Name of this agent. */
  readonly agent: string;
  readonly version: string;
  readonly revision: string;
  readonly started: number;
  readonly ready: boolean;
  readonly reason: string;
  readonly stealth: boolean;
  readonly learning: LearningStatus;
  readonly captures: readonly CaptureStatus[];
  readonly active: readonly ActiveAnomaly[];
}

/** How much of what is normal is known. */
export interface LearningStatus {
  /** Until anything is told above info; 0 outside of learn mode. */
  readonly seconds_left: number;
  readonly signals: number;
  /** Signals whose baseline judges already. */
  readonly signals_ready: number;
}

export interface CaptureStatus {
  readonly interface: string;
  readonly source: string;
  readonly up: boolean;
  /** Over the last window. */
  readonly packets_per_second: number;
  readonly bytes_per_second: number;
  /** Since the start. */
  readonly packets: number;
  readonly dropped: number;
}

/** The fields of an open anomaly that the page shows; the API answers everything it is given. */
export interface ActiveAnomaly {
  readonly detector: string;
  readonly severity: string;
  readonly first_seen: number;
  readonly explanation: string;
  readonly entity: { readonly key: string };
}

/** What `/api/v1/events` is asked for. */
export interface EventQuery {
  /** Lowest severity. */
  readonly severity?: "info" | "warning" | "critical";
  readonly detector?: string;
  /** Part of the entity's key. */
  readonly entity?: string;
  readonly state?: "open" | "update" | "resolved";
  /** UTC seconds, inclusive. */
  readonly since?: number;
  readonly until?: number;
  readonly limit: number;
  /** `next` of the page before. */
  readonly cursor?: number;
}

export interface EventPage {
  /** Newest first. */
  readonly events: readonly unknown[];
  /** Cursor of the next page, null on the last. */
  readonly next: number | null;
}
