// SPDX-License-Identifier: AGPL-3.0-or-later
import type { CaptureSource, CaptureStats, Frame } from "../../src/capture/source.ts";

/** What a recorder does with the frames of its source. */
export interface RecorderOptions {
  /** Copies frames; without, they are only counted. */
  readonly keepFrames: boolean;
  /** Stops the source, from inside the sink, after this many frames. */
  readonly stopAfter: number | null;
}

/** A delivered frame, copied. */
export interface CopiedFrame {
  readonly bytes: Uint8Array;
  readonly wireLength: number;
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly direction: number;
  readonly linkType: number;
  readonly vlanTpid: number;
  readonly vlanTci: number;
}

export interface CaptureSnapshot {
  readonly delivered: number;
  readonly deliveredBytes: number;
  readonly stats: CaptureStats;
  /** Only afpacket has it. */
  readonly kernelPackets: number | null;
  readonly capturing: boolean | null;
}

export interface Recording {
  readonly frames: readonly CopiedFrame[];
  readonly snapshot: CaptureSnapshot;
  /** Frames that came after `stop` was called or `run` had settled. */
  readonly late: number;
}

const POISON = 0xa5;

/** A sink that keeps nothing of the source's memory, and overwrites it, so that a source relying on it fails. */
export class Recorder {
  readonly #frames: CopiedFrame[] = [];
  readonly #options: RecorderOptions;
  readonly #source: CaptureSource;
  #delivered = 0;
  #deliveredBytes = 0;
  #late = 0;
  #ended = false;

  constructor(source: CaptureSource, options: RecorderOptions) {
    this.#source = source;
    this.#options = options;
  }

  /** Runs the open source until it ends and closes it. */
  async run(): Promise<void> {
    try {
      await this.#source.run((frame) => this.#take(frame));
    } finally {
      this.#ended = true;
      // Whatever is still under way would come in the next turns of the event loop.
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 5));
      this.#source.close();
      this.#source.close();
    }
  }

  stop(): void {
    this.#ended = true;
    this.#source.stop();
  }

  snapshot(): CaptureSnapshot {
    const source = this.#source;
    return {
      delivered: this.#delivered,
      deliveredBytes: this.#deliveredBytes,
      stats: source.stats(),
      kernelPackets: "kernelPackets" in source ? Number(source.kernelPackets) : null,
      capturing: source.capturing?.() ?? null,
    };
  }

  recording(): Recording {
    return { frames: this.#frames, snapshot: this.snapshot(), late: this.#late };
  }

  #take(frame: Frame): void {
    if (this.#ended) this.#late++;
    this.#delivered++;
    this.#deliveredBytes += frame.wireLength;
    if (this.#options.keepFrames) this.#frames.push(copyFrame(frame));
    poison(frame);
    if (this.#delivered === this.#options.stopAfter) this.stop();
  }
}

export function copyFrame(frame: Frame): CopiedFrame {
  const { wireLength, seconds, nanoseconds, direction, linkType, vlanTpid, vlanTci } = frame;
  const fields = { wireLength, seconds, nanoseconds, direction, linkType, vlanTpid, vlanTci };
  return { bytes: memoryOf(frame).slice(), ...fields };
}

export function poison(frame: Frame): void {
  memoryOf(frame).fill(POISON);
}

function memoryOf({ view, start, end }: Frame): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + start, end - start);
}
