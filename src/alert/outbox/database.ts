// SPDX-License-Identifier: AGPL-3.0-or-later
import { closeSync, existsSync, openSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../util/errors.ts";
import type { Row } from "./records.ts";

export const OUTBOX_FILE = "outbox.db";
/** Where an unusable database goes; the one before it makes way, so that there is never more than one. */
export const DAMAGED_FILE = "outbox.damaged.db";

const VERSION = 1;
/** How long a write waits for another program that writes. */
const BUSY_MS = 2_000;
const PAGE_BYTES = 4_096;

const SCHEMA = `
  CREATE TABLE records (
    kind TEXT NOT NULL, channel TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (kind, channel, id)
  ) WITHOUT ROWID;
  PRAGMA user_version = ${VERSION};
`;

/** The part of libsql's promise form that is used: `exec` works off the event loop, statements work on it. */
interface Connection {
  exec(sql: string): Promise<void>;
  prepare(sql: string): Promise<Statement>;
  close(): void;
}

interface Statement {
  run(...values: readonly string[]): unknown;
  all(...values: readonly string[]): Promise<unknown[]>;
  get(...values: readonly string[]): unknown;
}

/** A write: the row as it is to be, or without a body where it is to go. */
export type Change = Omit<Row, "body"> & { readonly body: string | null };

/** The outbox as a file: one SQLite table. Everything throws what SQLite throws. */
export class Database {
  readonly #connection: Connection;
  readonly #upsert: Statement;
  readonly #delete: Statement;
  readonly #version: Statement;

  private constructor(
    connection: Connection,
    statements: readonly [Statement, Statement, Statement],
  ) {
    this.#connection = connection;
    [this.#upsert, this.#delete, this.#version] = statements;
  }

  /** Opens the database of a folder; it is made where there is none. `limitBytes` bounds the file. */
  static async open(directory: string, limitBytes: number): Promise<Database> {
    const path = join(directory, OUTBOX_FILE);
    // SQLite would make it readable for all; it holds names and addresses.
    closeSync(openSync(path, "a", 0o600));
    const { default: Libsql } = await import("libsql/promise");
    const connection: Connection = new Libsql(path, { timeout: BUSY_MS });
    try {
      await prepareFile(connection, limitBytes);
      const prepare = (sql: string): Promise<Statement> => connection.prepare(sql);
      return new Database(connection, [
        await prepare(
          "INSERT OR REPLACE INTO records (kind, channel, id, body) VALUES (?, ?, ?, ?)",
        ),
        await prepare("DELETE FROM records WHERE kind = ? AND channel = ? AND id = ?"),
        await prepare("PRAGMA data_version"),
      ]);
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Everything, or what is of one kind. */
  async rows(kind?: string): Promise<Row[]> {
    const where = kind === undefined ? "" : " WHERE kind = ?";
    const statement = await this.#connection.prepare(
      `SELECT kind, channel, id, body FROM records${where}`,
    );
    return (await statement.all(...(kind === undefined ? [] : [kind]))) as Row[];
  }

  /** Makes all changes or none, and returns when they are on the disk. */
  async write(changes: Iterable<Change>): Promise<void> {
    await this.#connection.exec("BEGIN IMMEDIATE");
    try {
      let count = 0;
      for (const { kind, channel, id, body } of changes) {
        if (body === null) this.#delete.run(kind, channel, id);
        else this.#upsert.run(kind, channel, id, body);
        // A long list must not hold up the event loop.
        if (++count % 256 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await this.#connection.exec("COMMIT");
    } catch (error) {
      // Where the disk is full, SQLite has rolled back by itself.
      await this.#connection.exec("ROLLBACK").catch(() => {});
      throw error;
    }
  }

  /** A number that changes when another program has written. */
  foreignVersion(): number {
    const row = this.#version.get() as { readonly data_version: number };
    return row.data_version;
  }

  /** Brings the write-ahead log into the file, where that works, and lets go of both. */
  async close(): Promise<void> {
    await this.#connection.exec("PRAGMA wal_checkpoint(TRUNCATE)").catch(() => {});
    this.#connection.close();
  }
}

async function prepareFile(connection: Connection, limitBytes: number): Promise<void> {
  const value = async (sql: string): Promise<unknown> => {
    const [row] = await (await connection.prepare(sql)).all();
    return Object.values(row ?? {})[0];
  };
  await connection.exec("PRAGMA journal_mode = WAL");
  await connection.exec("PRAGMA synchronous = FULL");
  await connection.exec(`PRAGMA max_page_count = ${Math.ceil(limitBytes / PAGE_BYTES)}`);
  const verdict = await value("PRAGMA quick_check(1)");
  if (verdict !== "ok") throw new Error(`SQLITE_CORRUPT: ${String(verdict)}`);
  const version = await value("PRAGMA user_version");
  if (version === 0) await connection.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT`);
  else if (version !== VERSION) {
    throw new Error(
      `SQLITE_CORRUPT: it has format ${String(version)}, this program reads ${VERSION}`,
    );
  }
}

/** True where the file itself is the trouble: it is damaged, no database, or of a format that is not known. */
export function isUnusable(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return /SQLITE_(?:CORRUPT|NOTADB)/.test(`${String(code)} ${messageOf(error)}`);
}

/** Puts an unusable database out of the way, for somebody to look at; returns where it is now. */
export function moveAside(directory: string): string {
  const target = join(directory, DAMAGED_FILE);
  for (const suffix of ["", "-wal", "-shm"]) {
    const path = join(directory, OUTBOX_FILE + suffix);
    rmSync(target + suffix, { force: true });
    if (existsSync(path)) renameSync(path, target + suffix);
  }
  return target;
}
