// SPDX-License-Identifier: AGPL-3.0-or-later
import { mkdirSync } from "node:fs";
import { hostname } from "node:os";
import type { Clock } from "../../util/clock.ts";
import { messageOf } from "../../util/errors.ts";
import type { Log } from "../../util/log.ts";
import { type Change, Database, isUnusable, moveAside } from "./database.ts";
import { RecordMap } from "./record-map.ts";
import { type Bodies, type Kind, type Row, recordOf, type StoredRecord } from "./records.ts";
import { WriteBehind } from "./write-behind.ts";

/** How often another program's changes are looked for. */
const WATCH_MS = 1_000;
/** A disk that takes longer than this to say that it has a message does not hold the message up. */
const SAFE_MAX_MS = 2_000;
const OWNER = "agent";

export interface OutboxOptions {
  /** Folder of the database, null for memory only. */
  readonly directory: string | null;
  /** Largest size of the database. */
  readonly limitBytes: number;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * What the alert stage must not forget: what waits, what was told, what was given up, open incidents, silences. It is
 * held in memory and follows on the disk; `safe` says when. A disk that fails or a database that is damaged is said
 * once and stops nothing: the program goes on from memory.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #records = new RecordMap();
  readonly #disk: WriteBehind;
  #database: Database | null = null;
  #foreignVersion = 0;
  #cancelWatch = (): void => {};
  #onForeign: (() => void) | undefined;

  private constructor(options: OutboxOptions) {
    this.#options = options;
    this.#disk = new WriteBehind({
      clock: options.clock,
      write: (changes) => this.#write(changes),
      failing: (error) =>
        options.log.error(
          { error: messageOf(error) },
          "the outbox cannot be written: alerts are still delivered, but a restart would lose them",
        ),
      recovered: () => options.log.info({}, "the outbox is written again"),
    });
  }

  /** Opens the outbox and reads what an earlier run left. Never rejects: without a usable disk it is memory only. */
  static async open(options: OutboxOptions): Promise<Outbox> {
    const outbox = new Outbox(options);
    if (options.directory !== null) await outbox.#open(options.directory);
    return outbox;
  }

  /** An outbox that forgets everything with the program. */
  static inMemory(clock: Clock, log: Log): Outbox {
    return new Outbox({ directory: null, limitBytes: 0, clock, log });
  }

  /** True while everything that is handed over reaches the disk. */
  get isDurable(): boolean {
    return this.#database !== null && !this.#disk.isFailing;
  }

  list<K extends Kind>(kind: K, channel?: string): StoredRecord<K>[] {
    return this.#records.list(kind, channel);
  }

  get<K extends Kind>(kind: K, channel: string, id: string): Bodies[K] | undefined {
    return this.#records.body(kind, channel, id);
  }

  set<K extends Kind>(kind: K, channel: string, id: string, body: Bodies[K]): void {
    this.#records.set({ kind, channel, id, body });
    this.#save(kind, channel, id, body);
  }

  delete(kind: Kind, channel: string, id: string): void {
    if (this.#records.delete(kind, channel, id)) this.#save(kind, channel, id, null);
  }

  /** Resolves once everything is on the disk, or the disk cannot have it; undefined where that is so already. */
  safe(): Promise<void> | undefined {
    const settled = this.#database === null ? undefined : this.#disk.settled();
    if (!settled) return undefined;
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(SAFE_MAX_MS, resolve);
      void settled.then(() => {
        cancel();
        resolve();
      });
    });
  }

  /** Calls back after another program has changed requests or silences. */
  watch(onForeign: () => void): void {
    this.#onForeign = onForeign;
    if (this.#database) this.#watchLater();
  }

  /** Writes what is not written yet and lets go of the file. */
  async close(): Promise<void> {
    this.#cancelWatch();
    this.#onForeign = undefined;
    this.delete("owner", "", OWNER);
    await this.#disk.end();
    await this.#database?.close();
    this.#database = null;
  }

  async #open(directory: string): Promise<void> {
    const { log } = this.#options;
    try {
      mkdirSync(directory, { recursive: true, mode: 0o750 });
      this.#take(await this.#openFile(directory));
    } catch (error) {
      log.error(
        { error: messageOf(error) },
        "the outbox cannot be opened: alerts are kept in memory only",
      );
      return;
    }
    this.set("owner", "", OWNER, { pid: process.pid, host: hostname() });
  }

  /** Opens the database, a new one where the old one is unusable, and gives back its rows. */
  async #openFile(directory: string): Promise<Row[]> {
    const { limitBytes } = this.#options;
    try {
      this.#database = await Database.open(directory, limitBytes);
      return await this.#database.rows();
    } catch (error) {
      await this.#database?.close();
      this.#database = null;
      if (!isUnusable(error)) throw error;
      await this.#startOver(directory, error);
      return [];
    }
  }

  async #startOver(directory: string, error: unknown): Promise<void> {
    const { limitBytes, log } = this.#options;
    const moved = moveAside(directory);
    log.error(
      { error: messageOf(error), moved },
      "the outbox is damaged and was put aside; a new one takes its place",
    );
    this.#database = await Database.open(directory, limitBytes);
  }

  #take(rows: readonly Row[]): void {
    const records = rows.map(recordOf);
    for (const record of records) if (record) this.#records.set(record);
    const unreadable = records.filter((record) => record === null).length;
    if (unreadable > 0) this.#options.log.warn({ unreadable }, "the outbox holds strange records");
    this.#foreignVersion = this.#database?.foreignVersion() ?? 0;
  }

  #save(kind: Kind, channel: string, id: string, body: unknown): void {
    if (this.#database === null) return;
    this.#disk.add(`${kind}\n${channel}\n${id}`, () => changeOf(kind, channel, id, body));
  }

  async #write(changes: readonly Change[]): Promise<void> {
    const { directory } = this.#options;
    try {
      await this.#database?.write(changes);
    } catch (error) {
      if (!isUnusable(error) || directory === null) throw error;
      await this.#database?.close();
      await this.#startOver(directory, error);
      const all = this.#records.all();
      await this.#database?.write(all.map((r) => changeOf(r.kind, r.channel, r.id, r.body)));
    }
  }

  #watchLater(): void {
    this.#cancelWatch = this.#options.clock.after(WATCH_MS, () => {
      void this.#lookForForeign().finally(() => {
        if (this.#onForeign) this.#watchLater();
      });
    });
  }

  async #lookForForeign(): Promise<void> {
    const database = this.#database;
    // A statement would wait for the write that is under way, and the event loop with it.
    if (!database || !this.#disk.isIdle) return;
    try {
      const version = database.foreignVersion();
      if (version === this.#foreignVersion) return;
      this.#mirror("request", await database.rows("request"));
      this.#mirror("silence", await database.rows("silence"));
      this.#foreignVersion = version;
      this.#onForeign?.();
    } catch (error) {
      this.#options.log.debug({ error: messageOf(error) }, "the outbox cannot be read");
    }
  }

  /** Makes what is held of one kind what the rows say. */
  #mirror(kind: Kind, rows: readonly Row[]): void {
    // Something of our own came while the rows were read: they are looked at again with the next foreign change.
    if (!this.#disk.isIdle) return;
    const present = new Set(rows.map(({ id }) => id));
    for (const { channel, id } of this.list(kind)) {
      if (!present.has(id)) this.#records.delete(kind, channel, id);
    }
    for (const record of rows.map(recordOf)) if (record) this.#records.set(record);
  }
}

function changeOf(kind: Kind, channel: string, id: string, body: unknown): Change {
  return { kind, channel, id, body: body === null ? null : JSON.stringify(body) };
}
