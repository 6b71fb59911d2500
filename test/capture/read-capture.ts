// SPDX-License-Identifier: AGPL-3.0-or-later
import { Readable } from "node:stream";
import { PcapFileSource } from "../../src/capture/pcap-file.ts";
import { NamError } from "../../src/util/errors.ts";
import { type CopiedFrame, copyFrame, poison } from "./recorder.ts";

/** Everything that reading a capture gave. */
export interface ReadResult {
  readonly frames: readonly CopiedFrame[];
  readonly error: NamError | null;
  readonly format: string | null;
  readonly linkTypes: readonly number[];
}

/** Reads a capture as a stream of chunks of `chunkBytes`; anything thrown that is no NamError is thrown on. */
export function readBytes(capture: Uint8Array, chunkBytes = 65_536): Promise<ReadResult> {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < capture.length; at += chunkBytes) {
    // Copied, because the poison must not reach what the caller keeps.
    chunks.push(capture.slice(at, at + chunkBytes));
  }
  return readSource(new PcapFileSource("-", Readable.from(chunks)));
}

/** Reads a capture file. */
export function readFile(path: string): Promise<ReadResult> {
  return readSource(new PcapFileSource(path));
}

async function readSource(source: PcapFileSource): Promise<ReadResult> {
  const frames: CopiedFrame[] = [];
  let error: NamError | null = null;
  try {
    await source.open();
    await source.run((frame) => {
      frames.push(copyFrame(frame));
      poison(frame);
    });
  } catch (thrown) {
    if (!(thrown instanceof NamError)) throw thrown;
    error = thrown;
  } finally {
    source.close();
  }
  return { frames, error, format: source.format, linkTypes: source.linkTypes };
}
