// SPDX-License-Identifier: AGPL-3.0-or-later
import type { ZodType } from "zod";
import { type Anomaly, SEVERITIES, type Severity } from "../detect/detector.ts";
import type { Log } from "../util/log.ts";
import { z } from "../util/zod.ts";

/** What a message says about the anomalies it stands for when they are too many, or too mixed, to tell one by one. */
export interface Digest {
  /** Every anomaly of the message, named or not. */
  readonly count: number;
  /** Time between the first and the last of them. */
  readonly seconds: number;
  readonly detectors: readonly { readonly name: string; readonly count: number }[];
  /** The three most frequent sources. */
  readonly topSources: readonly { readonly name: string; readonly count: number }[];
}

/** One message to one channel: one or more anomalies that are told together, most severe first. */
export interface Alert {
  /** The same over retries, as long as nothing newer joined the message. */
  readonly id: string;
  /**
   * Whether it opens, updates or resolves. An anomaly that is over before its opening could be told is part of an
   * `open` message, with its own state `resolved`. A digest may mix states; it opens if one of its anomalies does.
   */
  readonly state: "open" | "update" | "resolved";
  readonly severity: Severity;
  /** At most as many as a message can hold; `more` counts the rest. */
  readonly anomalies: readonly Anomaly[];
  readonly more: number;
  /** When it should have been sent, milliseconds since 1970: a late message says how late. */
  readonly createdMs: number;
  /** When this attempt is made, milliseconds since 1970. */
  readonly sentMs: number;
  /** Name of the agent, so that a reader of a shared channel knows which host speaks. */
  readonly agent: string;
  /** True for `nam test-alert`, whose message holds no anomaly. */
  readonly test: boolean;
  /** True for a sign of life, which holds no anomaly either: a dead man's switch at the other end waits for it. */
  readonly heartbeat?: boolean;
  readonly digest?: Digest;
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
  | {
      readonly outcome: "delivered";
      readonly detail: string;
      /** Silence the vendor asks for before the next message. */
      readonly pauseMs?: number;
    }
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
  /** Told once, before anything is sent: anomalies that are open and that the readers know by name. */
  resume?(anomalies: readonly Anomaly[], agent: string): void;
  close?(): Promise<void>;
}

/** A channel type is one file: this declaration, its settings and its formatter. */
export interface ChannelDefinition<Settings = never> {
  /** Value of `type` in the configuration. */
  readonly type: string;
  readonly help: string;
  readonly settings: ZodType<Settings>;
  /** Messages per second the vendor, or its reader, tolerates, and how many may burst. */
  readonly rate: {
    readonly perSecond: number;
    readonly burst: number;
    /** True where the rate is for the reader's peace: what is critical does not wait for it. */
    readonly sparesCritical?: boolean;
  };
  /** False for channels that stay on this machine: they work in stealth mode. */
  readonly usesNetwork: boolean;
  /** True for channels that take every event at once: nothing is grouped, digested or left unnamed. */
  readonly everyEvent?: boolean;
  create(settings: Settings, log: Log): Notifier;
}

/** The part of a channel's settings that decides what it is told; every channel's `settings` begins with it. */
export function routingSettings<Type extends string>(type: Type) {
  return {
    type: z.literal(type),
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/, "letters, digits, '.', '_' and '-', at most 63")
      .default(type)
      .describe("Name of the channel in metrics and logs; unique. Default: its type."),
    minimum_severity: z
      .enum(SEVERITIES)
      .default("warning")
      .describe("Anomalies below this severity are not told here."),
    send_resolved: z.boolean().default(true).describe("Also tell when an anomaly is over."),
    heartbeat_minutes: z
      .number()
      .min(0)
      .max(10_080)
      .default(0)
      .describe(
        "Send a sign of life this often, for a dead man's switch at the other end that alarms when none comes. 0: never.",
      ),
  };
}
