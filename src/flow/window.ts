// SPDX-License-Identifier: AGPL-3.0-or-later

/** Rows that trackers hand over, one key a tracker; each tracker's file adds its own through `declare module`. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by declaration merging, one key a tracker
export interface TrackerRows {}

/** Where packets were lost between the wire and the counters. */
export const DROP_STAGES = ["kernel", "ring", "shed", "ipc"] as const;
export type DropStage = (typeof DROP_STAGES)[number];

/** What the capture did during the window: deltas, except the levels marked so. */
export interface CaptureWindow {
  readonly interface: string;
  readonly source: string;
  /** received = processed + Σ dropped, to the packet. */
  readonly received: number;
  readonly processed: number;
  readonly bytes: number;
  readonly dropped: Readonly<Record<DropStage, number>>;
  readonly duplicates: number;
  readonly ringFreezes: number;
  /** Level, 0 to 1. */
  readonly ringFill: number;
  readonly dropCounterSupported: boolean;
  /** Packet time of the last packet ever, milliseconds since 1970; 0 before the first. */
  readonly lastPacketMs: number;
  /** Level: how far processing is behind the packets' own time, seconds; 0 on replay. */
  readonly lagSeconds: number;
  /** Packets whose timestamp went back or leapt and was clamped. */
  readonly clockSteps: number;
}

/**
 * Everything a sensor learned in one tick, as plain data: it crosses a process border by structured clone, and
 * windows of the same tick merge (counters and gauges add, sketches take the maximum, rows and tallies append).
 */
export interface Window {
  /** Number of the sensor, -1 where several were merged. */
  readonly sensor: number;
  readonly sequence: number;
  /** Packet time covered, `[startMs, endMs)`, milliseconds since 1970. */
  readonly startMs: number;
  readonly endMs: number;
  /** How many ticks were merged into this window because the reader was late; 1 normally. */
  readonly ticks: number;
  readonly capture: readonly CaptureWindow[];
  /** Deltas and levels by cell of the catalogue's sensor layouts. */
  readonly counters: Float64Array;
  readonly gauges: Float64Array;
  /** HyperLogLog registers by name. */
  readonly sketches: Readonly<Record<string, Uint8Array>>;
  readonly rows: TrackerRows;
  /** Counted strings by tally name (`dns.names`, `tls.sni`, `tls.ja3`, `tls.ja4` …). */
  readonly tallies: Readonly<Record<string, readonly (readonly [value: string, count: number])[]>>;
}
