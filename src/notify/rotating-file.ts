// SPDX-License-Identifier: AGPL-3.0-or-later
import { constants } from "node:fs";
import { open, rename, rm } from "node:fs/promises";

/** The owner writes, the group (of a log shipper) reads, nobody else does either. */
const MODE = 0o640;
// A link that somebody put there would lead the lines elsewhere.
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;

export interface RotatingFileOptions {
  readonly path: string;
  /** Size in bytes that the file does not outgrow, unless one append alone does. */
  readonly maxBytes: number;
  /** Files that are kept besides: `path.1`, the newest, to `path.N`. */
  readonly keep: number;
  /** Whether an append ends only when the disk has it. */
  readonly fsync: boolean;
}

/** A file that is appended to and rotated by size. It is opened anew each time, so others may rotate or remove it, too. */
export class RotatingFile {
  readonly #options: RotatingFileOptions;

  constructor(options: RotatingFileOptions) {
    this.#options = options;
  }

  /** Appends all of it or nothing. Rejects with the error of the file system. Not to be called while a call is under way. */
  async append(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    const { path, maxBytes, fsync } = this.#options;
    let handle = await open(path, FLAGS, MODE);
    try {
      let { size } = await handle.stat();
      if (size > 0 && size + bytes.length > maxBytes) {
        await handle.close();
        await this.#rotate();
        handle = await open(path, FLAGS, MODE);
        size = 0;
      }
      try {
        await handle.appendFile(bytes);
      } catch (error) {
        // Half a line is worse than none: what fitted on a full disk goes again.
        await handle.truncate(size).catch(() => {});
        throw error;
      }
      if (fsync) await handle.datasync();
    } finally {
      await handle.close().catch(() => {});
    }
  }

  async #rotate(): Promise<void> {
    const { path, keep } = this.#options;
    if (keep === 0) return rm(path);
    for (let index = keep; index > 1; index--)
      await move(`${path}.${index - 1}`, `${path}.${index}`);
    await move(path, `${path}.1`);
  }
}

async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
