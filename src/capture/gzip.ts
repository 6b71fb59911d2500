// SPDX-License-Identifier: AGPL-3.0-or-later
// RFC 1952. Members are taken apart here, and only their deflate data is given to zlib: zlib's own gunzip returns
// nothing of the piece of input in which it finds something wrong, be it only a checksum or what follows the end.
import { crc32, createInflateRaw } from "node:zlib";
import { messageOf, NamError } from "../util/errors.ts";
import { ByteQueue } from "./byte-queue.ts";

/** Bytes of the head that tell gzip apart. */
export const GZIP_MAGIC_BYTES = 2;

const MAGIC = 0x1f8b;
const DEFLATE = 8;
const HEADER_BYTES = 10;
const METHOD_AT = 2;
const FLAGS_AT = 3;
const FLAG_HEADER_CRC = 1 << 1;
const FLAG_EXTRA = 1 << 2;
const FLAG_NAME = 1 << 3;
const FLAG_COMMENT = 1 << 4;
const TRAILER_BYTES = 8;

// Compressed bytes handed to zlib at a time; what damage within the data can cost of what comes before it.
const PIECE_BYTES = 4096;
const OUTPUT_BYTES = 64 * 1024;

/** True where `head` begins a gzip member. */
export function isGzip(head: Uint8Array): boolean {
  return head.length >= GZIP_MAGIC_BYTES && viewOf(head).getUint16(0) === MAGIC;
}

/**
 * The input as it is, or unpacked where it begins like gzip; zeros after the last member are padding. Throws
 * CAPTURE_FILE_DAMAGED after everything that comes before the damage.
 */
export async function* unpackIfGzip(
  input: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  const bytes = new ByteQueue(input);
  if (!isGzip(await bytes.peek(GZIP_MAGIC_BYTES))) {
    yield* bytes.rest();
    return;
  }
  while (isGzip(await bytes.peek(GZIP_MAGIC_BYTES))) {
    await skipHeader(bytes);
    yield* member(bytes);
  }
  for await (const padding of bytes.rest()) {
    if (padding.some((byte) => byte !== 0)) throw damaged("something else follows its end");
  }
}

async function skipHeader(bytes: ByteQueue): Promise<void> {
  const header = await exactly(bytes, HEADER_BYTES);
  const flags = header[FLAGS_AT] ?? 0;
  if (header[METHOD_AT] !== DEFLATE) throw damaged("it is packed by an unknown method");
  if (flags & FLAG_EXTRA) await exactly(bytes, viewOf(await exactly(bytes, 2)).getUint16(0, true));
  if (flags & FLAG_NAME) await skipText(bytes);
  if (flags & FLAG_COMMENT) await skipText(bytes);
  if (flags & FLAG_HEADER_CRC) await exactly(bytes, 2);
}

async function skipText(bytes: ByteQueue): Promise<void> {
  while ((await exactly(bytes, 1))[0] !== 0);
}

async function exactly(bytes: ByteQueue, count: number): Promise<Uint8Array> {
  const taken = await bytes.peek(count);
  if (taken.length < count) throw damaged("unexpected end of file");
  bytes.skip(count);
  return taken;
}

async function* member(bytes: ByteQueue): AsyncGenerator<Uint8Array, void> {
  let checksum = 0;
  let sizeBytes = 0;
  for await (const data of inflated(bytes)) {
    checksum = crc32(data, checksum);
    sizeBytes = (sizeBytes + data.length) >>> 0;
    yield data;
  }
  const trailer = viewOf(await exactly(bytes, TRAILER_BYTES));
  if (trailer.getUint32(0, true) !== checksum) throw damaged("its checksum is wrong");
  if (trailer.getUint32(4, true) !== sizeBytes) throw damaged("its length is wrong");
}

/** Unpacks deflate data up to its end and leaves what follows in the queue. */
async function* inflated(bytes: ByteQueue): AsyncGenerator<Uint8Array, void> {
  const inflate = createInflateRaw({ chunkSize: OUTPUT_BYTES });
  const output: Uint8Array[] = [];
  let proceed = (): void => {};
  inflate.on("data", (data: Uint8Array) => output.push(data));
  // Either may come instead of the callback of a write.
  inflate.on("end", () => proceed());
  inflate.on("error", () => proceed());
  try {
    while (!inflate.readableEnded) {
      const piece = await bytes.some(PIECE_BYTES);
      if (piece.length === 0) throw damaged("unexpected end of file");
      const before = inflate.bytesWritten;
      await new Promise<void>((resolve) => {
        proceed = resolve;
        inflate.write(piece, () => resolve());
      });
      yield* output.splice(0);
      if (inflate.errored !== null) throw damaged(messageOf(inflate.errored));
      bytes.skip(inflate.bytesWritten - before);
    }
  } finally {
    inflate.destroy();
  }
}

function damaged(reason: string): NamError {
  return new NamError("CAPTURE_FILE_DAMAGED", `the gzip packing is damaged: ${reason}`);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
