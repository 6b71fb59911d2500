// SPDX-License-Identifier: AGPL-3.0-or-later
import { appendFileSync, mkdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Anomaly, SEVERITIES, type Severity } from "../detect/detector.ts";
import { messageOf, NamError } from "../util/errors.ts";
import type { Log } from "../util/log.ts";

/** Changes of state kept in memory for the API. */
const MEMORY_LIMIT = 1_000;
/** The file is turned over to `events.1.ndjson` at this size. */
const FILE_LIMIT_BYTES = 10 * 1024 * 1024;

export interface EventQuery {
  /** Lowest severity. */
  readonly severity?: Severity;
  readonly detector?: string;
  /** Part of the entity's key. */
  readonly entity?: string;
  readonly state?: Anomaly["state"];
  /** UTC seconds, inclusive. */
  readonly since?: number;
  readonly until?: number;
  readonly limit: number;
  /** Where the page before this one ended; see `next`. */
  readonly cursor?: number;
}

export interface EventPage {
  readonly events: readonly Anomaly[];
  /** Cursor of the next page, null on the last. */
  readonly next: number | null;
}

/**
 * Every change of state of every anomaly: the newest in memory, all of them in `events.ndjson` under the storage
 * path, turned over at 10 MiB. A disk that fails is reported once and costs nothing but the file.
 */
export class EventStore {
  readonly #file: string | null;
  readonly #log: Log;
  readonly #events: { readonly sequence: number; readonly event: Anomaly }[] = [];
  #next = 1;
  #fileBytes = 0;
  #failed = false;

  /** `directory` null keeps events in memory only. Throws STORAGE when the directory cannot be made or read. */
  constructor(directory: string | null, log: Log) {
    this.#log = log;
    this.#file = directory === null ? null : join(directory, "events.ndjson");
    if (directory !== null) this.#load(directory);
  }

  add(events: readonly Anomaly[]): void {
    for (const event of events) this.#remember(event);
    if (events.length > 0) this.#write(events);
  }

  /** Newest first. */
  query(query: EventQuery): EventPage {
    const page: Anomaly[] = [];
    for (let index = this.#events.length - 1; index >= 0; index--) {
      const stored = this.#events[index];
      if (!stored || (query.cursor !== undefined && stored.sequence >= query.cursor)) continue;
      if (!matches(stored.event, query)) continue;
      if (page.length === query.limit) return { events: page, next: stored.sequence + 1 };
      page.push(stored.event);
    }
    return { events: page, next: null };
  }

  #remember(event: Anomaly): void {
    this.#events.push({ sequence: this.#next++, event });
    if (this.#events.length > MEMORY_LIMIT) this.#events.shift();
  }

  #load(directory: string): void {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o750 });
      const text = this.#file && exists(this.#file) ? readFileSync(this.#file, "utf8") : "";
      this.#fileBytes = Buffer.byteLength(text);
      for (const line of text.split("\n").slice(-MEMORY_LIMIT - 1)) {
        const event = parse(line);
        if (event) this.#remember(event);
      }
    } catch (error) {
      throw new NamError(
        "STORAGE",
        `cannot use the storage path ${directory}: ${messageOf(error)}; create it, or set --storage.path to a folder that can be written`,
        error,
      );
    }
  }

  #write(events: readonly Anomaly[]): void {
    if (!this.#file) return;
    const text = events.map((event) => `${JSON.stringify(event)}\n`).join("");
    try {
      if (this.#fileBytes > FILE_LIMIT_BYTES) {
        renameSync(this.#file, this.#file.replace(/\.ndjson$/, ".1.ndjson"));
        this.#fileBytes = 0;
      }
      appendFileSync(this.#file, text, { mode: 0o640 });
      this.#fileBytes += Buffer.byteLength(text);
      this.#failed = false;
    } catch (error) {
      if (!this.#failed) this.#log.error({ error: messageOf(error) }, "events cannot be stored");
      this.#failed = true;
    }
  }
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** A line of the file, or null for what a crash or a stranger left there. */
function parse(line: string): Anomaly | null {
  if (line === "") return null;
  try {
    const value = JSON.parse(line) as Partial<Anomaly> | null;
    const complete =
      typeof value?.id === "string" &&
      typeof value.detector === "string" &&
      typeof value.time === "number" &&
      typeof value.entity?.key === "string" &&
      SEVERITIES.includes(value.severity as Severity);
    // The product wrote the file; these are the fields that queries touch.
    return complete ? (value as Anomaly) : null;
  } catch {
    return null;
  }
}

function matches(event: Anomaly, query: EventQuery): boolean {
  if (query.severity && SEVERITIES.indexOf(event.severity) < SEVERITIES.indexOf(query.severity))
    return false;
  if (query.detector && event.detector !== query.detector) return false;
  if (query.entity && !event.entity.key.includes(query.entity)) return false;
  if (query.state && event.state !== query.state) return false;
  if (query.since !== undefined && event.time < query.since) return false;
  return query.until === undefined || event.time <= query.until;
}
