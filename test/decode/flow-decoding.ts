// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Frame } from "../../src/capture/source.ts";
import { applicationNames, networkNames } from "../../src/decode/families.ts";
import { flowGauges, flowMetrics } from "../../src/flow/families.ts";
import { FlowStage } from "../../src/flow/stage.ts";
import { CellLayout } from "../../src/metrics/cells.ts";
import { WindowClock } from "../../src/window-clock.ts";
import { Decoding } from "./decoding.ts";

const WINDOW_MS = 1000;
const CAPACITY = 8192;

/** A decoder between the two halves of a real flow stage, as the pipeline has it. */
export class FlowDecoding extends Decoding {
  /** What the flow stage counts. */
  readonly flowLayout = new CellLayout(flowMetrics);
  readonly flowCounters = new Float64Array(this.flowLayout.size);
  readonly #stage: FlowStage;
  readonly #clock = new WindowClock(WINDOW_MS);

  constructor(flowCapacity = CAPACITY) {
    super();
    const gaugeLayout = new CellLayout(flowGauges);
    this.#stage = new FlowStage({
      layout: this.flowLayout,
      counters: this.flowCounters,
      gaugeLayout,
      gauges: new Float64Array(gaugeLayout.size),
      hashSeed: 1,
      flowCapacity,
      networkNames,
      applicationNames,
    });
  }

  /** Takes one frame; what its flow's earlier frames proved is remembered. */
  override take(frame: Frame): number {
    const { decoder, packet } = this;
    const timeMs = frame.seconds * 1000 + frame.nanoseconds / 1e6;
    this.#clock.advance(timeMs, (_, endMs) => this.#stage.close(this.#clock.flowTime(endMs)));
    decoder.headers(frame);
    const verdict = this.#stage.lookup(packet, this.#clock.flowMs);
    const kept = decoder.application(verdict);
    if (kept !== verdict) this.#stage.keep(packet, kept);
    this.#stage.packet(packet, this.#clock.flowMs);
    decoder.count();
    return kept;
  }
}
