// SPDX-License-Identifier: AGPL-3.0-or-later
import type { CaptureSource, CaptureStats, Frame, LookAhead } from "./capture/source.ts";
import { Decoder } from "./decode/decoder.ts";
import { applicationNames, networkNames } from "./decode/families.ts";
import { QuietAccounts } from "./decode/quiet-accounts.ts";
import { AiProviders } from "./flow/ai/providers.ts";
import type { AiSettings } from "./flow/ai/settings.ts";
import { FlowStage } from "./flow/stage.ts";
import { Tallies, tallyOverflow } from "./flow/tally.ts";
import type { CaptureWindow, Window } from "./flow/window.ts";
import { KnownFlows, Taken } from "./known-flows.ts";
import type { SensorLayouts } from "./sensor-metrics.ts";
import { add } from "./util/typed.ts";
import { WindowClock } from "./window-clock.ts";

const { COUNTED, UNKNOWN } = Taken;
const WINDOW_MS = 1000;
/** Frames between two looks at the wall clock for the lag. */
const LAG_SAMPLE_MASK = 1023;

export interface PipelineOptions {
  readonly sensor: number;
  readonly source: CaptureSource;
  readonly layouts: SensorLayouts;
  /** The operator's own networks, as CIDR. */
  readonly home: readonly string[];
  /** As in DecoderOptions. */
  readonly echPublicNames?: readonly string[];
  /** Random for live capture, fixed for replay. */
  readonly hashSeed: number;
  readonly flowCapacity: number;
  /** Names of AI providers besides the built-in table. */
  readonly ai?: AiSettings;
  /** Most distinct strings a window's tally keeps. */
  readonly tallyLimit: number;
  /** False to send every packet the long way, which counts the same. */
  readonly shortcuts?: boolean;
  /** Wall clock for the lag; null on replay. */
  readonly now: (() => number) | null;
  readonly emit: (window: Window) => void;
}

/**
 * Frame → decoder → flow stage → window: everything one sensor does with a packet. Windows close on packet time,
 * and by `tick` when no packet comes.
 */
export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #counters: Float64Array;
  readonly #gauges: Float64Array;
  readonly #tallies: Tallies;
  readonly #decoder: Decoder;
  readonly #flows: FlowStage;
  readonly #quietAccounts: QuietAccounts;
  readonly #knownFlows: KnownFlows;
  readonly #shortcuts: boolean;
  readonly #clock = new WindowClock(WINDOW_MS);
  readonly #close = (startMs: number, endMs: number): void => this.#closeWindow(startMs, endMs);
  #sequence = 0;
  #frames = 0;
  #framesSent = 0;
  #counted = 0;
  #bytes = 0;
  #lagMs = 0;
  #stepsSent = 0;
  #lastSeconds = 0;
  #lastNanoseconds = 0;
  #source: CaptureSource;
  #lastStats: CaptureStats;

  constructor(options: PipelineOptions) {
    const { layouts } = options;
    this.#options = options;
    this.#shortcuts = options.shortcuts ?? true;
    this.#counters = new Float64Array(layouts.counters.size);
    this.#gauges = new Float64Array(layouts.gauges.size);
    this.#tallies = new Tallies(options.tallyLimit);
    this.#decoder = new Decoder({
      layout: layouts.counters,
      counters: this.#counters,
      tally: (name) => this.#tallies.counter(name),
      home: options.home,
      echPublicNames: options.echPublicNames ?? [],
    });
    this.#flows = new FlowStage({
      layout: layouts.counters,
      counters: this.#counters,
      gaugeLayout: layouts.gauges,
      gauges: this.#gauges,
      hashSeed: options.hashSeed,
      flowCapacity: options.flowCapacity,
      networkNames,
      applicationNames,
      aiProviders: new AiProviders(options.ai),
    });
    this.#quietAccounts = new QuietAccounts(layouts.counters, this.#counters);
    this.#knownFlows = new KnownFlows({
      stage: this.#flows,
      home: this.#decoder.home,
      accounts: this.#quietAccounts,
      reading: this.#decoder.reading,
      carrierEndings: this.#decoder.carrierEndings,
    });
    this.#source = options.source;
    this.#lastStats = options.source.stats();
  }

  /** Fetches from memory what the next frames will need; changes nothing. */
  get lookAhead(): LookAhead {
    return this.#knownFlows;
  }

  /** Takes one frame; never throws. */
  frame(frame: Frame): void {
    const clock = this.#clock;
    clock.packet(frame.seconds, frame.nanoseconds, this.#close);
    this.#lastSeconds = frame.seconds;
    this.#lastNanoseconds = frame.nanoseconds;
    this.#bytes += frame.wireLength;
    if ((this.#frames++ & LAG_SAMPLE_MASK) === 0) this.#sampleLag(timeMsOf(frame));
    const { flowMs } = clock;
    const found = this.#shortcuts ? this.#knownFlows.take(frame, flowMs) : UNKNOWN;
    if (found === COUNTED) this.#counted++;
    else this.#decode(frame, flowMs, found);
  }

  /** The long way of a packet. `found` is the slot of its flow, where that has been looked up. */
  #decode(frame: Frame, flowMs: number, found: number): void {
    const { packet } = this.#decoder;
    this.#decoder.headers(frame);
    const verdict = this.#flows.lookup(packet, flowMs, found < 0 ? undefined : found);
    const kept = this.#decoder.application(verdict);
    if (kept !== verdict) this.#flows.keep(packet, kept, flowMs);
    this.#flows.packet(packet, flowMs);
    this.#decoder.count();
  }

  /** Live only: closes windows that ended before `nowMs`, packets or not. */
  tick(nowMs: number): void {
    this.#clock.advance(nowMs, this.#close);
  }

  /** Takes further frames from another source, e.g. the next file; flows go on. Only between windows. */
  attach(source: CaptureSource): void {
    this.#source = source;
    this.#lastStats = source.stats();
  }

  /** Frames taken since the start. */
  get frames(): number {
    return this.#frames;
  }

  /** Frames among them that took the short way. */
  get shortcuts(): number {
    return this.#counted;
  }

  /** Closes the open window, for the end of an input. */
  finish(): void {
    this.#clock.finish(this.#close);
  }

  #sampleLag(timeMs: number): void {
    const { now } = this.#options;
    if (now) this.#lagMs = Math.max(this.#lagMs, now() - timeMs);
  }

  #closeWindow(startMs: number, endMs: number): void {
    const { rows, sketches } = this.#flows.close(this.#clock.flowTime(endMs));
    const { layouts } = this.#options;
    add(this.#counters, layouts.counters.base(tallyOverflow), this.#tallies.overflow);
    this.#quietAccounts.flush();
    const counters = this.#counters.slice();
    this.#counters.fill(0);
    this.#options.emit({
      sensor: this.#options.sensor,
      sequence: this.#sequence++,
      startMs,
      endMs,
      ticks: 1,
      capture: [this.#captureWindow()],
      counters,
      gauges: this.#gauges.slice(),
      sketches,
      rows,
      tallies: this.#tallies.take(),
    });
  }

  #captureWindow(): CaptureWindow {
    const source = this.#source;
    const stats = source.stats();
    const last = this.#lastStats;
    const kernel = stats.droppedKernel - last.droppedKernel;
    const ring = stats.droppedRing - last.droppedRing;
    const processed = this.#frames - this.#framesSent;
    const window: CaptureWindow = {
      interface: source.interfaceName,
      source: source.name,
      received: processed + kernel + ring,
      processed,
      bytes: this.#bytes,
      dropped: { kernel, ring, shed: 0, ipc: 0 },
      duplicates: stats.duplicates - last.duplicates,
      ringFreezes: stats.ringFreezes - last.ringFreezes,
      ringFill: stats.ringFill,
      dropCounterSupported: stats.dropCounterSupported,
      lastPacketMs: this.#lastSeconds * 1000 + this.#lastNanoseconds / 1e6,
      lagSeconds: this.#lagMs / 1000,
      clockSteps: this.#clock.steps - this.#stepsSent,
    };
    this.#lastStats = stats;
    this.#framesSent = this.#frames;
    this.#bytes = 0;
    this.#lagMs = 0;
    this.#stepsSent = this.#clock.steps;
    return window;
  }
}

function timeMsOf(frame: Frame): number {
  return frame.seconds * 1000 + frame.nanoseconds / 1e6;
}
