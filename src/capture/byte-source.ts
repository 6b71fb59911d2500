// SPDX-License-Identifier: AGPL-3.0-or-later
import { readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { messageOf, NamError } from "../util/errors.ts";
import { GZIP_MAGIC_BYTES, isGzip, unpackIfGzip } from "./gzip.ts";

/** Bytes in order, from wherever they come. */
export interface ByteSource {
  /** Fills `target` from `at` with at most `lengthBytes`; returns how many, 0 only at the end of the input. */
  read(target: Uint8Array, at: number, lengthBytes: number): Promise<number>;
  /** Input bytes taken so far, compressed ones where the input is compressed. */
  readonly inputBytes: number;
  /** Size of the input, or null where it has none, as a pipe. */
  readonly totalBytes: number | null;
  /** How much it is best to ask for at a time. */
  readonly pieceBytes: number;
  /** Makes a read that waits for input, and every later one, return 0. */
  abort(): void;
  close(): Promise<void>;
}

// Read by this thread into what its cache holds: handing pieces over between threads costs more than the copy out of
// the page cache, and larger pieces are cold again before they are parsed.
const FILE_PIECE_BYTES = 128 * 1024;
/** Pieces of a file between two turns of the event loop. */
const PIECES_PER_TURN = 32;
const SMALLEST_PIECE_BYTES = 4096;
const STREAM_PIECE_BYTES = 256 * 1024;

/**
 * Opens a file, gzip recognised by its first bytes; anything but a regular file is read as a stream.
 * Throws CAPTURE_FILE where it cannot be read.
 */
export async function openFile(path: string): Promise<ByteSource> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, "r");
    const stat = await handle.stat();
    if (stat.isDirectory()) throw new NamError("CAPTURE_FILE", "it is a directory");
    if (!stat.isFile()) return new StreamBytes(handle.createReadStream(), null);
    const head = Buffer.alloc(GZIP_MAGIC_BYTES);
    await handle.read(head, { position: 0 });
    if (!isGzip(head)) return new FileBytes(handle, stat.size);
    const packed = handle.createReadStream({ start: 0, highWaterMark: STREAM_PIECE_BYTES });
    return new StreamBytes(packed, stat.size);
  } catch (error) {
    await handle?.close();
    throw new NamError("CAPTURE_FILE", `cannot read ${path}: ${messageOf(error)}`, error);
  }
}

/** A regular file. */
class FileBytes implements ByteSource {
  inputBytes = 0;
  readonly totalBytes: number;
  readonly pieceBytes: number;
  readonly #handle: FileHandle;
  #pieces = 0;
  #aborted = false;

  constructor(handle: FileHandle, totalBytes: number) {
    this.#handle = handle;
    this.totalBytes = totalBytes;
    this.pieceBytes = Math.min(Math.max(totalBytes, SMALLEST_PIECE_BYTES), FILE_PIECE_BYTES);
  }

  async read(target: Uint8Array, at: number, lengthBytes: number): Promise<number> {
    if (++this.#pieces % PIECES_PER_TURN === 0) await turn();
    if (this.#aborted) return 0;
    const bytesRead = readSync(this.#handle.fd, target, at, lengthBytes, this.inputBytes);
    this.inputBytes += bytesRead;
    return bytesRead;
  }

  abort(): void {
    this.#aborted = true;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** A stream such as standard input, unpacked on the way where it begins like gzip. */
export class StreamBytes implements ByteSource {
  inputBytes = 0;
  readonly pieceBytes = STREAM_PIECE_BYTES;
  readonly totalBytes: number | null;
  readonly #input: Readable;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);
  #endWaiting: (() => void) | null = null;
  #aborted = false;

  constructor(input: Readable, totalBytes: number | null) {
    this.#input = input;
    this.totalBytes = totalBytes;
    this.#chunks = unpackIfGzip(this.#counted());
  }

  read(target: Uint8Array, at: number, lengthBytes: number): Promise<number> {
    if (this.#aborted) return Promise.resolve(0);
    return new Promise((resolve, reject) => {
      this.#endWaiting = () => resolve(0);
      this.#fill(target, at, lengthBytes).then(resolve, reject);
    });
  }

  abort(): void {
    this.#aborted = true;
    this.#endWaiting?.();
  }

  async close(): Promise<void> {
    this.abort();
    this.#input.destroy();
  }

  async *#counted(): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of this.#input) {
      this.inputBytes += chunk.length;
      yield chunk;
    }
  }

  async #fill(target: Uint8Array, at: number, lengthBytes: number): Promise<number> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done || this.#aborted) return 0;
      this.#rest = next.value;
    }
    const taken = this.#rest.subarray(0, lengthBytes);
    target.set(taken, at);
    this.#rest = this.#rest.subarray(taken.length);
    return taken.length;
  }
}
