// SPDX-License-Identifier: AGPL-3.0-or-later
import { setTimeout as delay } from "node:timers/promises";
import { linkTypeName } from "./capture/link-types.ts";
import { PcapFileSource } from "./capture/pcap-file.ts";
import type { Frame, FrameSink } from "./capture/source.ts";
import { Pacer } from "./pacer.ts";
import { Pipeline } from "./pipeline.ts";
import { type FromPackets, type PacketJob, tallyLimit } from "./replay-messages.ts";
import type { SensorLayouts } from "./sensor-metrics.ts";
import { systemClock } from "./util/clock.ts";
import { messageOf } from "./util/errors.ts";

/** Replay hashes with a fixed seed: the same file gives the same events. */
const HASH_SEED = 0x6e616d;
/** Packets between two looks at the progress. */
const PROGRESS_MASK = 0xffff;

/** The packets' side of a replay: capture files → pipeline → windows, on packet time, through one pipeline. */
export class ReplayPackets {
  readonly #job: PacketJob;
  readonly #tell: (message: FromPackets) => void;
  readonly #layouts: SensorLayouts;
  readonly #abort = new AbortController();
  #pipeline: Pipeline | null = null;

  constructor(job: PacketJob, layouts: SensorLayouts, tell: (message: FromPackets) => void) {
    this.#job = job;
    this.#layouts = layouts;
    this.#tell = tell;
  }

  /** Reads the files in order. A damaged file is told and the next one taken. */
  async run(): Promise<void> {
    for (const path of this.#job.paths) {
      if (this.#abort.signal.aborted) return;
      await this.#file(path);
    }
  }

  /** Ends the replay early; what was read until then counts. */
  stop(): void {
    this.#abort.abort();
  }

  async #file(path: string): Promise<void> {
    const source = new PcapFileSource(path);
    this.#tell({ type: "begin", path });
    const pipeline = this.#attach(source);
    const tally = new FileTally();
    const stop = (): void => source.stop();
    this.#abort.signal.addEventListener("abort", stop, { once: true });
    let error: string | null = null;
    try {
      await source.open();
      await source.run(this.#sink(path, source, pipeline, tally), pipeline.lookAhead);
    } catch (failure) {
      error = messageOf(failure);
    } finally {
      this.#abort.signal.removeEventListener("abort", stop);
      pipeline.finish();
      source.close();
    }
    this.#tell({
      type: "end",
      file: {
        path,
        format: source.format ?? "unknown",
        linkTypes: source.linkTypes.map(linkTypeName),
        packets: tally.packets,
        bytes: tally.bytes,
        firstTimestamp: tally.firstTimestamp,
        lastTimestamp: tally.lastTimestamp,
        error,
      },
    });
  }

  #sink(path: string, source: PcapFileSource, pipeline: Pipeline, tally: FileTally): FrameSink {
    const { speed } = this.#job.settings;
    const take: FrameSink = (frame) => {
      pipeline.frame(frame);
      tally.add(frame);
      if ((tally.packets & PROGRESS_MASK) === 0) {
        const { readBytes, totalBytes } = source.progress();
        const part = totalBytes === null ? null : readBytes / totalBytes;
        this.#tell({ type: "progress", path, part });
      }
    };
    return speed === null ? take : this.#paced(source, take, new Pacer(speed, systemClock));
  }

  /** Takes each frame when it is due; the source holds it, memory and all, until then. */
  #paced(source: PcapFileSource, take: FrameSink, pacer: Pacer): FrameSink {
    return (frame) => {
      const waitMs = pacer.waitMs(frame.seconds * 1000 + frame.nanoseconds / 1e6);
      if (waitMs === 0) take(frame);
      else source.hold(this.#wait(waitMs).then(() => take(frame)));
    };
  }

  #wait(waitMs: number): Promise<void> {
    // An abort ends the wait; the source is stopped by then.
    return delay(waitMs, undefined, { signal: this.#abort.signal }).catch(() => {});
  }

  /** The one pipeline, so that a flow that goes on in the next file is still one flow. */
  #attach(source: PcapFileSource): Pipeline {
    const { home, echPublicNames = [], flowCapacity, ai, top } = this.#job.settings;
    if (this.#pipeline) this.#pipeline.attach(source);
    this.#pipeline ??= new Pipeline({
      sensor: 0,
      source,
      layouts: this.#layouts,
      home,
      echPublicNames,
      hashSeed: HASH_SEED,
      flowCapacity,
      ...(ai ? { ai } : {}),
      tallyLimit: tallyLimit(top),
      now: null,
      emit: (window) => this.#tell({ type: "window", window }),
    });
    return this.#pipeline;
  }
}

/** What is told of one file. Whole numbers only: a fraction a packet would be an object a packet. */
class FileTally {
  packets = 0;
  bytes = 0;
  #firstSeconds = 0;
  #firstNanoseconds = 0;
  #lastSeconds = 0;
  #lastNanoseconds = 0;

  add(frame: Frame): void {
    this.#lastSeconds = frame.seconds;
    this.#lastNanoseconds = frame.nanoseconds;
    if (this.packets === 0) {
      this.#firstSeconds = frame.seconds;
      this.#firstNanoseconds = frame.nanoseconds;
    }
    this.packets++;
    this.bytes += frame.wireLength;
  }

  /** UTC seconds of the first packet, null where there was none. */
  get firstTimestamp(): number | null {
    return this.packets === 0 ? null : this.#firstSeconds + this.#firstNanoseconds / 1e9;
  }

  get lastTimestamp(): number | null {
    return this.packets === 0 ? null : this.#lastSeconds + this.#lastNanoseconds / 1e9;
  }
}
