// SPDX-License-Identifier: AGPL-3.0-or-later
import { createGunzip } from "node:zlib";

const GZIP_MAGIC = 0x1f8b;
/** Bytes of the head that tell gzip apart. */
export const GZIP_MAGIC_BYTES = 2;

// Compressed bytes handed to zlib at a time. zlib gives no output for a piece that turns out damaged, so the piece
// is small; a cut-off stream loses nothing, because every whole piece has been unpacked before the end is missed.
const PIECE_BYTES = 4096;
const OUTPUT_BYTES = 64 * 1024;

/** True where `head` begins a gzip member (RFC 1952 section 2.3). */
export function isGzip(head: Uint8Array): boolean {
  return head.length >= GZIP_MAGIC_BYTES && ((head[0] ?? 0) << 8) + (head[1] ?? 0) === GZIP_MAGIC;
}

/** The input as it is, or unpacked where it begins like gzip. Fails with zlib's error where the packing is damaged. */
export async function* unpackIfGzip(
  input: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  const chunks = input[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array(0);
  while (head.length < GZIP_MAGIC_BYTES) {
    const next = await chunks.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  const all = withHead(head, chunks);
  yield* isGzip(head) ? unpack(all) : all;
}

async function* withHead(
  head: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  yield head;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

async function* unpack(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const gunzip = createGunzip({ chunkSize: OUTPUT_BYTES });
  const output: Uint8Array[] = [];
  let proceed = () => {};
  gunzip.on("data", (data: Uint8Array) => output.push(data));
  gunzip.on("end", () => proceed());
  gunzip.on("error", () => proceed());
  try {
    for await (const chunk of input) {
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        await new Promise<void>((resolve) => {
          proceed = resolve;
          gunzip.write(chunk.subarray(at, at + PIECE_BYTES), () => resolve());
        });
        yield* output.splice(0);
        if (gunzip.errored !== null) throw gunzip.errored;
      }
    }
    await new Promise<void>((resolve) => {
      proceed = resolve;
      gunzip.end();
    });
    yield* output.splice(0);
    if (gunzip.errored !== null) throw gunzip.errored;
  } finally {
    gunzip.destroy();
  }
}
