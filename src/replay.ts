// SPDX-License-Identifier: AGPL-3.0-or-later
import { basename } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { EventStore } from "./alert/event-store.ts";
import { linkTypeName } from "./capture/link-types.ts";
import { PcapFileSource } from "./capture/pcap-file.ts";
import type { Frame, FrameSink } from "./capture/source.ts";
import { CaptureBook } from "./capture-status.ts";
import { Core, type CoreOptions } from "./core.ts";
import type { Anomaly } from "./detect/detector.ts";
import type { AiSettings } from "./flow/ai/settings.ts";
import { Tallies } from "./flow/tally.ts";
import { DROP_STAGES, type Window } from "./flow/window.ts";
import { Pacer } from "./pacer.ts";
import { Pipeline } from "./pipeline.ts";
import { buildReport, type FileReport, type Report } from "./report.ts";
import type { CaptureStatus } from "./server/contract.ts";
import { systemClock } from "./util/clock.ts";
import { messageOf } from "./util/errors.ts";

/** Replay hashes with a fixed seed: the same file gives the same events. */
const HASH_SEED = 0x6e616d;
/** Distinct strings of one list that a bounded report collects before it stops taking new ones. */
const BOUNDED_TALLY = 1_000_000;
/** Packets between two looks at the progress. */
const PROGRESS_MASK = 0xffff;

export interface ReplayOptions extends CoreOptions {
  /** As in DecoderOptions. */
  readonly echPublicNames?: readonly string[];
  readonly flowCapacity: number;
  readonly ai?: AiSettings;
  /** Entries of each list in the report; 0 = all. */
  readonly top: number;
  /** 1 = as fast as it was captured; null = as fast as it goes. */
  readonly speed: number | null;
  /** Sees every change of state as it happens. */
  readonly onEvents?: (events: readonly Anomaly[]) => void;
  /** Path of the file at hand and the part of it that has been read; null where that is not known. */
  readonly onProgress?: (path: string, part: number | null) => void;
  /** Ends the replay early. */
  readonly signal?: AbortSignal;
}

export interface ReplayResult {
  readonly report: Report;
  /** True when any file was damaged or unreadable. */
  readonly damaged: boolean;
}

/** The pipeline over capture files, on packet time. Holds the metrics while and after it runs. */
export class Replay {
  readonly core: Core;
  readonly #options: ReplayOptions;
  readonly #tallies: Tallies;
  /** Changes of state so far, for the API. */
  readonly events: EventStore;
  readonly #events: Anomaly[] = [];
  readonly #captures = new CaptureBook();
  #path = "";
  readonly #dropped: Record<string, number>;
  #pipeline: Pipeline | null = null;
  #received = 0;
  #processed = 0;

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.core = new Core(options);
    this.events = new EventStore(null, options.log);
    this.#tallies = new Tallies(options.top === 0 ? Number.POSITIVE_INFINITY : BOUNDED_TALLY);
    this.#dropped = Object.fromEntries(DROP_STAGES.map((stage) => [stage, 0]));
  }

  /** Runs over the files in order. A damaged file is reported and the next one taken. */
  async run(paths: readonly string[]): Promise<ReplayResult> {
    const files: FileReport[] = [];
    for (const path of paths) {
      if (this.#options.signal?.aborted) break;
      files.push(await this.#file(path));
    }
    const report = buildReport({
      files,
      layout: this.core.layouts.counters,
      totals: this.core.totals,
      tallies: this.#tallies,
      events: this.#events,
      loss: { received: this.#received, processed: this.#processed, dropped: this.#dropped },
      top: this.#options.top,
    });
    return { report, damaged: files.some(({ error }) => error !== null) };
  }

  /** The file at hand, as the page and the API show a capture. */
  captures(): CaptureStatus[] {
    const state = {
      interface: basename(this.#path),
      source: "pcap-file",
      capturing: true,
      reason: "",
    };
    return this.#captures.status(this.#path === "" ? [] : [state]);
  }

  async #file(path: string): Promise<FileReport> {
    const source = new PcapFileSource(path);
    this.#path = path;
    const pipeline = this.#attach(source);
    const before = this.#frameErrors();
    const tally = new FileTally();
    const stop = (): void => source.stop();
    this.#options.signal?.addEventListener("abort", stop, { once: true });
    let error: string | null = null;
    try {
      await source.open();
      await source.run(this.#sink(source, pipeline, tally));
    } catch (failure) {
      error = messageOf(failure);
    } finally {
      this.#options.signal?.removeEventListener("abort", stop);
      pipeline.finish();
      source.close();
    }
    const after = this.#frameErrors();
    return {
      path,
      format: source.format ?? "unknown",
      linkTypes: source.linkTypes.map(linkTypeName),
      packets: tally.packets,
      bytes: tally.bytes,
      firstTimestamp: tally.firstTimestamp,
      lastTimestamp: tally.lastTimestamp,
      truncated: after.truncated - before.truncated,
      malformed: after.malformed - before.malformed,
      error,
    };
  }

  #sink(source: PcapFileSource, pipeline: Pipeline, tally: FileTally): FrameSink {
    const { onProgress, speed } = this.#options;
    const take: FrameSink = (frame) => {
      pipeline.frame(frame);
      tally.add(frame);
      if (onProgress && (tally.packets & PROGRESS_MASK) === 0) {
        const { readBytes, totalBytes } = source.progress();
        onProgress(this.#path, totalBytes === null ? null : readBytes / totalBytes);
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
    const { signal } = this.#options;
    // An abort ends the wait; the source is stopped by then.
    return delay(waitMs, undefined, signal ? { signal } : {}).catch(() => {});
  }

  /** The one pipeline, so that a flow that goes on in the next file is still one flow. */
  #attach(source: PcapFileSource): Pipeline {
    if (this.#pipeline) this.#pipeline.attach(source);
    this.#pipeline ??= new Pipeline({
      sensor: 0,
      source,
      layouts: this.core.layouts,
      home: this.#options.home,
      echPublicNames: this.#options.echPublicNames ?? [],
      hashSeed: HASH_SEED,
      flowCapacity: this.#options.flowCapacity,
      ...(this.#options.ai ? { ai: this.#options.ai } : {}),
      tallyLimit: this.#options.top === 0 ? Number.POSITIVE_INFINITY : BOUNDED_TALLY,
      now: null,
      emit: (window) => this.#accept(window),
    });
    return this.#pipeline;
  }

  #accept(window: Window): void {
    for (const [name, entries] of Object.entries(window.tallies)) {
      for (const [value, count] of entries) this.#tallies.add(name, value, count);
    }
    this.#captures.window(window);
    for (const capture of window.capture) {
      this.#received += capture.received;
      this.#processed += capture.processed;
      for (const stage of DROP_STAGES) {
        this.#dropped[stage] = (this.#dropped[stage] ?? 0) + capture.dropped[stage];
      }
    }
    const events = this.core.accept(window, null);
    if (events.length === 0) return;
    this.#events.push(...events);
    this.events.add(events);
    this.#options.onEvents?.(events);
  }

  /** Frame errors counted so far, over all layers. */
  #frameErrors(): { truncated: number; malformed: number } {
    const { counters } = this.core.layouts;
    const definition = counters.definitions().find(({ name }) => name === "nam_frame_errors_total");
    const sum = (reason: string): number =>
      (definition ? counters.slots(definition, { reason }) : []).reduce(
        (total, slot) => total + (this.core.totals[slot] ?? 0),
        0,
      );
    return { truncated: sum("truncated"), malformed: sum("malformed") };
  }
}

/** What the report says of one file. Whole numbers only: a fraction a packet would be an object a packet. */
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
