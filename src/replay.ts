// SPDX-License-Identifier: AGPL-3.0-or-later
import { basename } from "node:path";
import { EventStore } from "./alert/event-store.ts";
import { CaptureBook } from "./capture-status.ts";
import { Core, type CoreOptions } from "./core.ts";
import type { Anomaly } from "./detect/detector.ts";
import { Tallies } from "./flow/tally.ts";
import { DROP_STAGES, type Window } from "./flow/window.ts";
import {
  type FileRead,
  type FromPackets,
  type PacketSettings,
  tallyLimit,
} from "./replay-messages.ts";
import type { ReplayThread } from "./replay-thread.ts";
import { buildReport, type FileReport, type Report } from "./report.ts";
import type { CaptureStatus } from "./server/contract.ts";

export interface ReplayOptions extends CoreOptions, PacketSettings {
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
  readonly #files: FileReport[] = [];
  readonly #dropped: Record<string, number>;
  #path = "";
  #errorsBefore = { truncated: 0, malformed: 0 };
  #received = 0;
  #processed = 0;

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.core = new Core(options);
    this.events = new EventStore(null, options.log);
    this.#tallies = new Tallies(tallyLimit(options.top));
    this.#dropped = Object.fromEntries(DROP_STAGES.map((stage) => [stage, 0]));
  }

  /** Runs over the files in order, in the calling thread. A damaged file is reported and the next one taken. */
  async run(paths: readonly string[]): Promise<ReplayResult> {
    const { signal } = this.#options;
    const job = { paths, settings: this.#options };
    const { ReplayPackets } = await import("./replay-packets.ts");
    const packets = new ReplayPackets(job, this.core.layouts, (message) => this.#take(message));
    const stop = (): void => packets.stop();
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
    await packets.run();
    signal?.removeEventListener("abort", stop);
    return this.#result();
  }

  /** The same, with the same result, over what a thread reads that was given these options' packet settings. */
  async follow(thread: ReplayThread): Promise<ReplayResult> {
    await thread.follow((message) => this.#take(message), this.#options.signal);
    return this.#result();
  }

  #result(): ReplayResult {
    const report = buildReport({
      files: this.#files,
      layout: this.core.layouts.counters,
      totals: this.core.totals,
      tallies: this.#tallies,
      events: this.#events,
      loss: { received: this.#received, processed: this.#processed, dropped: this.#dropped },
      top: this.#options.top,
    });
    return { report, damaged: this.#files.some(({ error }) => error !== null) };
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

  #take(message: FromPackets): void {
    if (message.type === "window") this.#accept(message.window);
    else if (message.type === "progress") this.#options.onProgress?.(message.path, message.part);
    else if (message.type === "begin") this.#begin(message.path);
    else this.#end(message.file);
  }

  #begin(path: string): void {
    this.#path = path;
    this.#errorsBefore = this.#frameErrors();
  }

  #end({ error, ...file }: FileRead): void {
    const before = this.#errorsBefore;
    const { truncated, malformed } = this.#frameErrors();
    this.#files.push({
      ...file,
      truncated: truncated - before.truncated,
      malformed: malformed - before.malformed,
      error,
    });
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
    const definition = counters.definition("nam_frame_errors_total");
    const sum = (reason: string): number =>
      (definition ? counters.slots(definition, { reason }) : []).reduce(
        (total, slot) => total + (this.core.totals[slot] ?? 0),
        0,
      );
    return { truncated: sum("truncated"), malformed: sum("malformed") };
  }
}
