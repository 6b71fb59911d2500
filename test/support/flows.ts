// SPDX-License-Identifier: AGPL-3.0-or-later
import { flowMetrics } from "../../src/flow/families.ts";
import { Flows } from "../../src/flow/flows.ts";
import { FlowEvent, type FlowKey, type TrackerDefinition } from "../../src/flow/tracker.ts";
import { CellLayout } from "../../src/metrics/cells.ts";
import type { MetricDefinition } from "../../src/metrics/metric.ts";
import { cellHistogram, cellValue } from "./cells.ts";

const EVENT_NAMES = Object.keys(FlowEvent);

export interface FlowsBench {
  readonly flows: Flows;
  counter(name: string, where?: Readonly<Record<string, string>>): number;
  histogram(definition: MetricDefinition): { counts: number[]; sum: number };
  /** Flows held, by the table's own account. */
  active(): number;
}

export function createFlows(options: { capacity?: number; hashSeed?: number } = {}): FlowsBench {
  const { capacity = 1024, hashSeed = 7 } = options;
  const layout = new CellLayout(flowMetrics);
  const counters = new Float64Array(layout.size);
  const flows = new Flows({ layout, counters, hashSeed, capacity });
  return {
    flows,
    counter: (name, where) => cellValue(layout, counters, name, where),
    histogram: (definition) => cellHistogram(layout, counters, definition),
    active: () => flows.active.reduce((sum, count) => sum + count, 0),
  };
}

/** Calls back for every flow event with its name. */
export function onFlowEvent(flows: Flows, say: (event: string, flow: FlowKey) => void): void {
  const definition = { events: Object.values(FlowEvent) } as unknown as TrackerDefinition;
  flows.events.subscribe(definition, {
    onFlow: (event, flow) => say(EVENT_NAMES[event] ?? "", flow),
    close: () => [],
    size: () => 0,
  });
}
