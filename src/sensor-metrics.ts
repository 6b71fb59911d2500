// SPDX-License-Identifier: AGPL-3.0-or-later
import { decodeMetrics, decodeSignals } from "./decode/families.ts";
import { flowGauges, flowMetrics, flowSignals } from "./flow/families.ts";
import { CellLayout } from "./metrics/cells.ts";
import type { SignalDefinition } from "./metrics/metric.ts";

/** What each cell of a window means; both processes build it from the same lists. */
export interface SensorLayouts {
  /** Cells that grow: counters and histograms. */
  readonly counters: CellLayout;
  /** Levels at the end of the window. */
  readonly gauges: CellLayout;
}

export function createSensorLayouts(): SensorLayouts {
  return {
    counters: new CellLayout([...decodeMetrics, ...flowMetrics]),
    gauges: new CellLayout([...flowGauges]),
  };
}

export const sensorSignals: readonly SignalDefinition[] = [...decodeSignals, ...flowSignals];
