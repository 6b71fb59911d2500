// SPDX-License-Identifier: AGPL-3.0-or-later
import { tcpPayloadBytes, tcpUnseenBytes } from "./flow/tcp-metrics.ts";
import type { Window } from "./flow/window.ts";
import type { CellLayout } from "./metrics/cells.ts";
import type { MetricDefinition } from "./metrics/metric.ts";

/** Windows of a second that the ratio is over. */
const WINDOWS = 60;

export const gapLoss: MetricDefinition = {
  name: "nam_capture_gap_loss_ratio",
  help: "Share of TCP payload bytes that were acknowledged but never captured, over the last minute: loss that no drop counter sees, as of a mirror port.",
  type: "gauge",
};

/** The loss before the capture, from gaps in TCP streams. */
export class GapLoss {
  readonly #unseenCell: number;
  readonly #payloadCell: number;
  readonly #recent: (readonly [unseen: number, payload: number])[] = [];

  constructor(layout: CellLayout) {
    this.#unseenCell = layout.base(tcpUnseenBytes);
    this.#payloadCell = layout.base(tcpPayloadBytes);
  }

  accept({ counters }: Window): void {
    this.#recent.push([counters[this.#unseenCell] ?? 0, counters[this.#payloadCell] ?? 0]);
    if (this.#recent.length > WINDOWS) this.#recent.shift();
  }

  /** 0 to 1; 0 where nothing was captured nor acknowledged. */
  ratio(): number {
    let unseen = 0;
    let all = 0;
    for (const [missing, payload] of this.#recent) {
      unseen += missing;
      all += missing + payload;
    }
    return all === 0 ? 0 : unseen / all;
  }
}
