// SPDX-License-Identifier: AGPL-3.0-or-later
import type { AiSettings } from "./flow/ai/settings.ts";
import type { Window } from "./flow/window.ts";

/** Distinct strings of one list that a bounded report collects before it stops taking new ones. */
const BOUNDED_TALLY = 1_000_000;

/** What reading, decoding and tracking a replay's packets depends on; plain data. */
export interface PacketSettings {
  readonly home: readonly string[];
  /** As in DecoderOptions. */
  readonly echPublicNames?: readonly string[];
  readonly flowCapacity: number;
  readonly ai?: AiSettings;
  /** Entries of each list in the report; 0 = all. */
  readonly top: number;
  /** 1 = as fast as it was captured; null = as fast as it goes. */
  readonly speed: number | null;
}

/** Most distinct strings of a list that are kept for a report of the `top` ones, 0 being all. */
export function tallyLimit(top: number): number {
  return top === 0 ? Number.POSITIVE_INFINITY : BOUNDED_TALLY;
}

/** The packets' side of a replay: which files, and how. */
export interface PacketJob {
  readonly paths: readonly string[];
  readonly settings: PacketSettings;
}

/** What was read of one file; `bytes` are bytes on the wire, times UTC seconds. */
export interface FileRead {
  readonly path: string;
  readonly format: string;
  readonly linkTypes: readonly string[];
  readonly packets: number;
  readonly bytes: number;
  readonly firstTimestamp: number | null;
  readonly lastTimestamp: number | null;
  /** What was wrong with it, null where it was read to its end. */
  readonly error: string | null;
}

/** What the packets' side of a replay tells. A file's windows lie between its `begin` and its `end`. */
export type FromPackets =
  | { readonly type: "begin"; readonly path: string }
  | { readonly type: "window"; readonly window: Window }
  /** `part` of the file has been read; null where its size is not known. */
  | { readonly type: "progress"; readonly path: string; readonly part: number | null }
  | { readonly type: "end"; readonly file: FileRead };

export type ToReplayWorker =
  | {
      readonly type: "start";
      readonly job: PacketJob;
      /** One shared number: windows that have been taken. */
      readonly taken: Int32Array;
    }
  | { readonly type: "stop" };

export type FromReplayWorker = FromPackets | { readonly type: "done" };
