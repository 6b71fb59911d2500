// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Frame } from "../../src/capture/source.ts";
import { applicationNames, networkNames } from "../../src/decode/families.ts";
import { flowGauges, flowMetrics } from "../../src/flow/families.ts";
import { FlowStage } from "../../src/flow/stage.ts";
import { CellLayout } from "../../src/metrics/cells.ts";
import { WindowClock } from "../../src/window-clock.ts";
import { Decoding } from "./decoding.ts";

const WINDOW_MS = 1000;

/** Decoding with the flow table that keeps its verdicts, as in a sensor. */
export class FlowDecoding extends Decoding {
  readonly #stage = createStage();
  readonly #clock = new WindowClock(WINDOW_MS);
  readonly #close = (_: number, endMs: number): void => {
    this.#stage.close(this.#clock.flowTime(endMs));
  };

  override take(frame: Frame): number {
    const { decoder, packet } = this;
    this.#clock.advance(frame.seconds * 1000 + frame.nanoseconds / 1e6, this.#close);
    decoder.headers(frame);
    const verdict = this.#stage.lookup(packet, this.#clock.flowMs);
    const kept = decoder.application(verdict);
    if (kept !== verdict) this.#stage.keep(packet, kept);
    this.#stage.packet(packet, this.#clock.flowMs);
    decoder.count();
    return kept;
  }
}

function createStage(): FlowStage {
  const layout = new CellLayout(flowMetrics);
  const gaugeLayout = new CellLayout(flowGauges);
  return new FlowStage({
    layout,
    counters: new Float64Array(layout.size),
    gaugeLayout,
    gauges: new Float64Array(gaugeLayout.size),
    hashSeed: 1,
    flowCapacity: 8192,
    networkNames,
    applicationNames,
  });
}
