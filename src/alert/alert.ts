// SPDX-License-Identifier: AGPL-3.0-or-later
import type { ZodType } from "zod";
import type { Anomaly, Severity } from "../detect/detector.ts";
import type { Log } from "../util/log.ts";

/** One message to one channel: one or more anomalies that are told together, most severe first. */
export interface Alert {
  /** Stable over retries of this message. */
  readonly id: string;
  readonly state: "open" | "update" | "resolved";
  readonly severity: Severity;
  /** At most as many as a message can hold; `more` counts the rest. */
  readonly anomalies: readonly Anomaly[];
  readonly more: number;
  /** When it was made, milliseconds since 1970: a late message says how late. */
  readonly createdMs: number;
  /** Name of the agent, so that a reader of a shared channel knows which host speaks. */
  readonly agent: string;
  /** True for `nam test-alert`. */
  readonly test: boolean;
}

export const DELIVERY_REASONS = [
  "ok",
  "rate_limited",
  "server_error",
  "network",
  "timeout",
  "rejected",
  "gone",
  "unauthorized",
] as const;
export type DeliveryReason = (typeof DELIVERY_REASONS)[number];

/** What one attempt came to. The notifier classifies, the queue decides what to do next. */
export type Delivery =
  | { readonly outcome: "delivered"; readonly detail: string }
  | {
      readonly outcome: "retry";
      readonly reason: DeliveryReason;
      readonly detail: string;
      readonly retryAfterMs?: number;
    }
  /** This message will never be accepted. */
  | { readonly outcome: "rejected"; readonly reason: DeliveryReason; readonly detail: string }
  /** The channel itself is gone (401, 403, 404, 410): send nothing more until the configuration changes. */
  | { readonly outcome: "disabled"; readonly reason: DeliveryReason; readonly detail: string };

/** One configured channel. Never throws; never puts a secret into `detail`. */
export interface Notifier {
  send(alert: Alert, signal: AbortSignal): Promise<Delivery>;
  close?(): Promise<void>;
}

/** A channel type is one file: this declaration, its settings and its formatter. */
export interface ChannelDefinition<Settings = never> {
  /** Value of `type` in the configuration. */
  readonly type: string;
  readonly help: string;
  readonly settings: ZodType<Settings>;
  /** Messages per second the vendor tolerates, and how many may burst. */
  readonly rate: { readonly perSecond: number; readonly burst: number };
  /** False for channels that stay on this machine: they work in stealth mode. */
  readonly usesNetwork: boolean;
  create(settings: Settings, log: Log): Notifier;
}
