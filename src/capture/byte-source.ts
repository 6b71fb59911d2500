// SPDX-License-Identifier: AGPL-3.0-or-later
import { closeSync, createReadStream, fstatSync, openSync, readSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
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
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) throw new NamError("CAPTURE_FILE", "it is a directory");
    // What may wait for a writer is not waited for here.
    return stat.isFile() ? openRegular(path) : new StreamBytes(await openStream(path), null);
  } catch (error) {
    throw new NamError("CAPTURE_FILE", `cannot read ${path}: ${messageOf(error)}`, error);
  }
}

async function openStream(path: string): Promise<Readable> {
  const handle = await open(path, "r");
  return handle.createReadStream();
}

/** Without a turn of the event loop: a regular file never waits for anyone, and other threads of the process do. */
function openRegular(path: string): ByteSource {
  const descriptor = openSync(path, "r");
  try {
    const { size } = fstatSync(descriptor);
    const head = Buffer.alloc(GZIP_MAGIC_BYTES);
    readSync(descriptor, head, 0, head.length, 0);
    if (!isGzip(head)) return new FileBytes(descriptor, size);
    const options = { fd: descriptor, start: 0, highWaterMark: STREAM_PIECE_BYTES };
    return new StreamBytes(createReadStream("", options), size);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** A regular file. */
class FileBytes implements ByteSource {
  inputBytes = 0;
  readonly totalBytes: number;
  readonly pieceBytes: number;
  readonly #descriptor: number;
  #pieces = 0;
  #aborted = false;

  constructor(descriptor: number, totalBytes: number) {
    this.#descriptor = descriptor;
    this.totalBytes = totalBytes;
    this.pieceBytes = Math.min(Math.max(totalBytes, SMALLEST_PIECE_BYTES), FILE_PIECE_BYTES);
  }

  async read(target: Uint8Array, at: number, lengthBytes: number): Promise<number> {
    if (++this.#pieces % PIECES_PER_TURN === 0) await turn();
    if (this.#aborted) return 0;
    const bytesRead = readSync(this.#descriptor, target, at, lengthBytes, this.inputBytes);
    this.inputBytes += bytesRead;
    return bytesRead;
  }

  abort(): void {
    this.#aborted = true;
  }

  async close(): Promise<void> {
    this.abort();
    closeSync(this.#descriptor);
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
