// SPDX-License-Identifier: AGPL-3.0-or-later
import { pcap, type Recorded } from "../../scripts/fixtures/capture-file.ts";
import type { Frame } from "../../src/capture/source.ts";
import type { FrameTaker } from "./talk.ts";

/** Writes frames down as a capture file. */
export class WrittenCapture implements FrameTaker {
  readonly #frames: Recorded[] = [];

  frame({ view, start, end, seconds, nanoseconds }: Frame): void {
    const data = Buffer.from(view.buffer.slice(view.byteOffset + start, view.byteOffset + end));
    this.#frames.push({ timeUs: seconds * 1e6 + Math.round(nanoseconds / 1000), data });
  }

  /** Everything so far. */
  pcap(): Buffer {
    return pcap(this.#frames);
  }
}
