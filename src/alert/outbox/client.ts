// SPDX-License-Identifier: AGPL-3.0-or-later
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Anomaly } from "../../detect/detector.ts";
import type { Clock } from "../../util/clock.ts";
import { messageOf, NamError } from "../../util/errors.ts";
import { type Change, Database, OUTBOX_FILE } from "./database.ts";
import {
  type Bodies,
  type DeadLetter,
  type Kind,
  recordOf,
  type StoredRecord,
  type StoredRequest,
} from "./records.ts";

/** How long a running agent gets to take a request; it looks once a second. */
const ANSWER_MS = 5_000;
const POLL_MS = 100;

/** The outbox as another program than the agent sees it, whether the agent runs or not. */
export class OutboxClient {
  readonly #database: Database;
  readonly #clock: Clock;

  private constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Throws STORAGE where there is no outbox, or where it cannot be read. */
  static async open(directory: string, limitBytes: number, clock: Clock): Promise<OutboxClient> {
    const path = join(directory, OUTBOX_FILE);
    if (!existsSync(path)) {
      throw new NamError(
        "STORAGE",
        `there is no outbox at ${path}; name the folder of the agent with --storage.path or --config.file`,
      );
    }
    try {
      return new OutboxClient(await Database.open(directory, limitBytes), clock);
    } catch (error) {
      throw new NamError("STORAGE", `cannot read the outbox ${path}: ${messageOf(error)}`, error);
    }
  }

  async list<K extends Kind>(kind: K): Promise<StoredRecord<K>[]> {
    const rows = await this.#database.rows(kind);
    return rows.flatMap((row) => (recordOf(row) as StoredRecord<K> | null) ?? []);
  }

  /** Stores or replaces a record; a running agent sees silences and requests within a second. */
  async set<K extends Kind>(kind: K, channel: string, id: string, body: Bodies[K]): Promise<void> {
    await this.#database.write([{ kind, channel, id, body: JSON.stringify(body) }]);
  }

  async delete(kind: Kind, channel: string, id: string): Promise<void> {
    await this.#database.write([{ kind, channel, id, body: null }]);
  }

  /** Has the running agent do it, or does it where none runs. Says who did. */
  async ask(request: StoredRequest): Promise<"agent" | "disk"> {
    const id = randomUUID();
    if (await this.#isAgentRunning()) {
      await this.set("request", "", id, request);
      const untilMs = this.#clock.monotonicMs() + ANSWER_MS;
      while (this.#clock.monotonicMs() < untilMs) {
        await new Promise<void>((resolve) => this.#clock.after(POLL_MS, resolve, true));
        const open = await this.list("request");
        if (!open.some((record) => record.id === id)) return "agent";
      }
    }
    const changes = await this.#changesFor(request);
    await this.#database.write([{ kind: "request", channel: "", id, body: null }, ...changes]);
    return "disk";
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  /** True also where that cannot be known: the owner may live in another container. */
  async #isAgentRunning(): Promise<boolean> {
    const [owner] = await this.list("owner");
    if (!owner) return false;
    if (owner.body.host !== hostname()) return true;
    try {
      process.kill(owner.body.pid, 0);
      return true;
    } catch (error) {
      return (error as { readonly code?: unknown }).code === "EPERM";
    }
  }

  async #changesFor({ action, what, channel, ids }: StoredRequest): Promise<Change[]> {
    const records = (await this.list(what)).filter(
      (record) =>
        (channel === null || record.channel === channel) &&
        (ids.length === 0 || ids.includes(record.id)),
    );
    const gone = records.map((record) => ({ ...record, body: null }));
    if (action === "purge" || what === "waiting") return action === "purge" ? gone : [];
    const nowMs = this.#clock.now();
    const open = new Set((await this.list("incident")).map(({ id }) => id));
    const back = (records as StoredRecord<"dead">[]).map((record) => ({
      ...record,
      kind: "waiting",
      body: JSON.stringify(waitingAgain(record.body, open.has(record.id), nowMs)),
    }));
    return [...gone, ...back];
  }
}

/** An incident that is not open any more is over by the time it is told. */
function waitingAgain(
  { anomaly, severity }: DeadLetter,
  isOpen: boolean,
  nowMs: number,
): Bodies["waiting"] {
  const now: Anomaly = isOpen ? anomaly : { ...anomaly, state: "resolved" };
  return { anomaly: now, severity, acceptedMs: nowMs, dueMs: nowMs, heldUntilMs: 0 };
}
