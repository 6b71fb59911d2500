// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Frame } from "../../src/capture/source.ts";
import { Decoder } from "../../src/decode/decoder.ts";
import { applicationNames, decodeMetrics, networkNames } from "../../src/decode/families.ts";
import type { AiCall } from "../../src/flow/ai/ai-call.ts";
import { flowGauges, flowMetrics } from "../../src/flow/families.ts";
import { FlowStage } from "../../src/flow/stage.ts";
import type { TrackerRows } from "../../src/flow/window.ts";
import { CellLayout } from "../../src/metrics/cells.ts";
import { WindowClock } from "../../src/window-clock.ts";
import { cellValue } from "./cells.ts";

/** Decoder and flow stage over the frames of a capture: its calls one by one, and the windows' rows. */
export class CallBench {
  readonly calls: AiCall[] = [];
  readonly windows: TrackerRows[] = [];
  readonly stage: FlowStage;
  readonly #layout = new CellLayout([...decodeMetrics, ...flowMetrics]);
  readonly #counters = new Float64Array(this.#layout.size);
  readonly #decoder: Decoder;
  readonly #clock = new WindowClock(1000);

  constructor(flowCapacity = 4096) {
    const [layout, counters] = [this.#layout, this.#counters];
    const gaugeLayout = new CellLayout(flowGauges);
    this.#decoder = new Decoder({ layout, counters, tally: () => () => {}, home: [] });
    this.stage = new FlowStage({
      ...{ layout, counters, gaugeLayout, gauges: new Float64Array(gaugeLayout.size) },
      ...{ hashSeed: 1, flowCapacity, networkNames, applicationNames },
    });
    this.stage.calls.subscribe({
      onCall: (call) => this.calls.push({ ...call }),
      close: () => [],
      size: () => 0,
    });
  }

  frame(frame: Frame): void {
    this.#clock.packet(frame.seconds, frame.nanoseconds, this.#close);
    const { flowMs } = this.#clock;
    const { packet } = this.#decoder;
    this.#decoder.headers(frame);
    const verdict = this.stage.lookup(packet, flowMs);
    const kept = this.#decoder.application(verdict);
    if (kept !== verdict) this.stage.keep(packet, kept, flowMs);
    this.stage.packet(packet, flowMs);
    this.#decoder.count();
  }

  /** Ends the open window, and then as many more as silence ends calls in. */
  finish(): void {
    this.#clock.finish(this.#close);
    for (let seconds = 0; seconds < 12; seconds++) this.#clock.finish(this.#close);
  }

  counter(name: string, where: Readonly<Record<string, string>> = {}): number {
    return cellValue(this.#layout, this.#counters, name, where);
  }

  readonly #close = (_startMs: number, endMs: number): void => {
    this.windows.push(this.stage.close(this.#clock.flowTime(endMs)).rows);
  };
}
