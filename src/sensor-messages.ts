// SPDX-License-Identifier: AGPL-3.0-or-later
import type { SourceSettings } from "./capture/all.ts";
import type { AiSettings } from "./flow/ai/settings.ts";
import type { Window } from "./flow/window.ts";
import type { ErrorCode } from "./util/errors.ts";

/** What a sensor is told at its start; plain data, no secrets. */
export interface SensorOptions {
  readonly sensor: number;
  readonly source: SourceSettings;
  readonly home: readonly string[];
  readonly echPublicNames: readonly string[];
  readonly flowCapacity: number;
  readonly ai: AiSettings;
  /** Secret of the monitor's hashes: the same for all its sensors, so that their sketches merge. */
  readonly hashSeed: number;
  /** Account that root changes to once the socket is open. */
  readonly user: string;
}

export type ToSensor =
  | { readonly type: "start"; readonly options: SensorOptions }
  /** One more window was read. */
  | { readonly type: "ack" }
  | { readonly type: "stop" };

export type FromSensor =
  | {
      readonly type: "up";
      readonly interface: string;
      readonly source: string;
      /** Account it changed to, null where it stayed who it was. */
      readonly account: string | null;
    }
  | { readonly type: "window"; readonly window: Window; readonly capturing: boolean }
  | { readonly type: "failed"; readonly code: ErrorCode; readonly message: string };
