// SPDX-License-Identifier: AGPL-3.0-or-later
import { NamError } from "../util/errors.ts";
import { trackers } from "./all.ts";
import { mergeDistinct } from "./sketch/hyperloglog.ts";
import type { RowRules } from "./tracker.ts";
import {
  type CaptureWindow,
  DROP_STAGES,
  type DropStage,
  type TrackerRows,
  type Window,
} from "./window.ts";

/** Sensor number of a window that holds what several sensors saw. */
export const MANY_SENSORS = -1;
/** Most distinct strings of one tally in a merged window. */
const TALLY_LIMIT = 4096;

type Tally = readonly (readonly [value: string, count: number])[];

/**
 * Makes one window of two: successive ones of one sensor, `later` being the later, or the same tick of two sensors.
 * Counts add, sketches take the maximum, rows of the same entity become one and lists stay bounded. Levels add over
 * sensors; of one sensor the later level holds.
 */
export function mergeWindows(earlier: Window, later: Window): Window {
  const isSameSensor = earlier.sensor === later.sensor;
  return {
    sensor: isSameSensor ? earlier.sensor : MANY_SENSORS,
    sequence: Math.max(earlier.sequence, later.sequence),
    startMs: Math.min(earlier.startMs, later.startMs),
    endMs: Math.max(earlier.endMs, later.endMs),
    ticks: isSameSensor ? earlier.ticks + later.ticks : Math.max(earlier.ticks, later.ticks),
    capture: mergeCapture(earlier.capture, later.capture),
    counters: sum(earlier.counters, later.counters),
    gauges: isSameSensor ? later.gauges : sum(earlier.gauges, later.gauges),
    sketches: mergeSketches(earlier.sketches, later.sketches),
    rows: mergeRows(earlier.rows, later.rows),
    tallies: mergeTallies(earlier.tallies, later.tallies),
  };
}

function sum(a: Float64Array, b: Float64Array): Float64Array {
  if (a.length !== b.length) {
    throw new NamError("INTERNAL", `windows of ${a.length} and ${b.length} cells cannot be merged`);
  }
  return a.map((value, slot) => value + (b[slot] ?? 0));
}

function mergeSketches(
  earlier: Window["sketches"],
  later: Window["sketches"],
): Record<string, Uint8Array> {
  const merged: Record<string, Uint8Array> = { ...earlier };
  for (const [name, registers] of Object.entries(later)) {
    const known = earlier[name];
    const union = registers.slice();
    if (known) mergeDistinct(union, known);
    merged[name] = union;
  }
  return merged;
}

function mergeRows(earlier: TrackerRows, later: TrackerRows): TrackerRows {
  const merged: Record<string, unknown[]> = {};
  for (const { name, rows } of trackers) {
    merged[name] = joinRows(rows as RowRules<unknown>, earlier[name], later[name]);
  }
  return merged as unknown as TrackerRows;
}

function joinRows<Row>(
  rules: RowRules<Row>,
  earlier: readonly Row[],
  later: readonly Row[],
): Row[] {
  const byKey = new Map(earlier.map((row) => [rules.key(row), row]));
  for (const row of later) {
    const key = rules.key(row);
    const known = byKey.get(key);
    byKey.set(key, known === undefined ? row : rules.merge(known, row));
  }
  const joined = [...byKey.values()].sort((a, b) => rules.weight(b) - rules.weight(a));
  return joined.slice(0, rules.limit);
}

function mergeTallies(earlier: Window["tallies"], later: Window["tallies"]): Record<string, Tally> {
  const merged: Record<string, Tally> = { ...earlier };
  for (const [name, tally] of Object.entries(later)) {
    merged[name] = mergeTally(earlier[name] ?? [], tally);
  }
  return merged;
}

function mergeTally(earlier: Tally, later: Tally): Tally {
  const counts = new Map(earlier);
  for (const [value, count] of later) counts.set(value, (counts.get(value) ?? 0) + count);
  if (counts.size <= TALLY_LIMIT) return [...counts];
  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, TALLY_LIMIT);
}

function mergeCapture(
  earlier: readonly CaptureWindow[],
  later: readonly CaptureWindow[],
): CaptureWindow[] {
  const merged = [...earlier];
  for (const window of later) {
    const at = merged.findIndex(
      ({ interface: name, source }) => name === window.interface && source === window.source,
    );
    const known = merged[at];
    if (known) merged[at] = joinCapture(known, window);
    else merged.push(window);
  }
  return merged;
}

function joinCapture(earlier: CaptureWindow, later: CaptureWindow): CaptureWindow {
  const dropped = Object.fromEntries(
    DROP_STAGES.map((stage) => [stage, earlier.dropped[stage] + later.dropped[stage]]),
  ) as Record<DropStage, number>;
  return {
    interface: later.interface,
    source: later.source,
    received: earlier.received + later.received,
    processed: earlier.processed + later.processed,
    bytes: earlier.bytes + later.bytes,
    dropped,
    duplicates: earlier.duplicates + later.duplicates,
    ringFreezes: earlier.ringFreezes + later.ringFreezes,
    ringFill: Math.max(earlier.ringFill, later.ringFill),
    dropCounterSupported: earlier.dropCounterSupported && later.dropCounterSupported,
    lastPacketMs: Math.max(earlier.lastPacketMs, later.lastPacketMs),
    lagSeconds: Math.max(earlier.lagSeconds, later.lagSeconds),
    clockSteps: earlier.clockSteps + later.clockSteps,
  };
}
