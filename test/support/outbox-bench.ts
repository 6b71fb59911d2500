// SPDX-License-Identifier: AGPL-3.0-or-later
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach } from "vitest";
import { Database } from "../../src/alert/outbox/database.ts";
import { Outbox } from "../../src/alert/outbox/outbox.ts";
import { type Bench, createBench } from "./alert-bench.ts";
import { FakeClock } from "./fake-clock.ts";

export const LIMIT_BYTES = 64 * 2 ** 20;

const cleanups: (() => void | Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export function onCleanup(cleanup: () => void | Promise<void>): void {
  cleanups.push(cleanup);
}

/** An empty folder, gone after the test. */
export function temporaryFolder(): string {
  const directory = mkdtempSync(join(tmpdir(), "nam-outbox-"));
  onCleanup(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Runs of one agent after each other, over one outbox on a real disk. */
export class Lives {
  /** Time of the life that began last. It begins now, as other programs that use the outbox know no other time. */
  clock = new FakeClock(Date.now());
  readonly directory: string;
  readonly lines: string[] = [];
  readonly #limitBytes: number;

  constructor(directory = temporaryFolder(), limitBytes = LIMIT_BYTES) {
    this.directory = directory;
    this.#limitBytes = limitBytes;
  }

  async outbox(): Promise<Outbox> {
    return Outbox.open({
      directory: this.directory,
      limitBytes: this.#limitBytes,
      clock: this.clock,
      log: pino({ level: "debug" }, { write: (line: string) => void this.lines.push(line) }),
    });
  }

  /** Time stands still for the lives before: they are dead, and nothing that they still meant to do happens. */
  async begin(options: Parameters<typeof createBench>[0] = {}): Promise<Bench> {
    this.clock = this.clock.successor();
    const outbox = await this.outbox();
    return createBench({ ...options, outbox, clock: this.clock });
  }

  /** What the disk holds, read as another program would. */
  async onDisk(kind?: string): Promise<string[]> {
    const database = await Database.open(this.directory, LIMIT_BYTES);
    try {
      const rows = await database.rows(kind);
      return rows
        .filter((row) => kind !== undefined || row.kind !== "owner")
        .map((row) => [row.kind, row.channel, row.id].filter((part) => part !== "").join(" "));
    } finally {
      await database.close();
    }
  }
}
