// SPDX-License-Identifier: AGPL-3.0-or-later
import type { SourceSettings } from "../../src/capture/all.ts";
import type { CaptureSnapshot, RecorderOptions, Recording } from "./recorder.ts";

/** What a capture in a child process shall do. */
export interface CaptureOrder extends RecorderOptions {
  readonly settings: SourceSettings;
  /** Account to change to after opening. */
  readonly dropTo: string | null;
}

export type ToChild =
  | { readonly type: "snapshot" }
  /** Keeps the process busy, so that nothing is read from the ring. */
  | { readonly type: "stall"; readonly milliseconds: number }
  | { readonly type: "stop" };

export type FromChild =
  | { readonly type: "running"; readonly account: string | null }
  | { readonly type: "snapshot"; readonly snapshot: CaptureSnapshot }
  | { readonly type: "done"; readonly recording: Recording }
  | { readonly type: "failed"; readonly code: string; readonly message: string };
