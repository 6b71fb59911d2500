// SPDX-License-Identifier: AGPL-3.0-or-later

import { SEVERITIES } from "../detect/detector.ts";
import { z } from "../util/zod.ts";
import { windowFields } from "./schedule.ts";
import { matcherFields } from "./silence.ts";

const names = z.array(z.string().min(1).max(256)).min(1).exactOptional();

/** One way from anomalies to channels. */
const routeFields = z.strictObject({
  channels: names.describe("Names of the channels it leads to. Default: all of them."),
  minimum_severity: z
    .enum(SEVERITIES)
    .default("info")
    .describe("Anomalies below this severity do not take it; the channel's own minimum holds too."),
  detectors: names.describe("Only anomalies of these detectors take it; * stands for any text."),
  entities: names.describe(
    "Only anomalies about these take it: an address, domain, process or other name as the event's entity has it; " +
      "* stands for any text.",
  ),
  send_resolved: z
    .boolean()
    .exactOptional()
    .describe("Also tell when an anomaly is over. Default: as the channel says."),
  quiet_hours: z
    .array(windowFields)
    .default([])
    .describe("When to be quiet: what comes meanwhile is told when they end, in its state then."),
  wake_severity: z
    .enum([...SEVERITIES, "never"])
    .default("critical")
    .describe("Anomalies of this severity and above are told in quiet hours too."),
});

export type RouteSettings = z.output<typeof routeFields>;

const maintenanceFields = z.strictObject({
  name: z.string().min(1).max(64).describe("What it is called in lists."),
  reason: z.string().min(1).max(512).describe("Why it is expected to be noisy."),
  windows: z.array(windowFields).min(1).describe("When it is, every week."),
  match: matcherFields
    .exactOptional()
    .describe("What is not told meanwhile. Default: nothing is told at all."),
});

/** Settings that hold for every channel. */
export const alertFields = z.strictObject({
  group_wait_seconds: z
    .number()
    .min(0)
    .max(300)
    .default(1)
    .describe(
      "How long an anomaly that is not critical waits for others of its detector, to share one message. " +
        "Critical anomalies never wait.",
    ),
  max_messages: z
    .int()
    .min(2)
    .max(10_000)
    .default(10)
    .describe(
      "Messages a channel may get within max_messages_window_seconds; beyond, anomalies are told together in a " +
        "digest. The first anomaly of a detector and critical ones about something new still get through.",
    ),
  max_messages_window_seconds: z
    .number()
    .min(10)
    .max(86_400)
    .default(600)
    .describe("Window of max_messages; also the longest time between two digests."),
  flap_openings: z
    .int()
    .min(2)
    .max(100)
    .default(3)
    .describe(
      "An anomaly that opens this often within flap_window_seconds flaps: it stays one incident, and its end is " +
        "told only after it has stayed away.",
    ),
  flap_window_seconds: z
    .number()
    .min(60)
    .max(86_400)
    .default(3_600)
    .describe("Time over which openings are counted, and for which what flaps must stay away."),
  queue_limit: z
    .int()
    .min(10)
    .max(100_000)
    .default(2_000)
    .describe(
      "Anomalies that may wait for one channel. Beyond, the oldest of the least severe is dropped and counted.",
    ),
  give_up_after_seconds: z
    .number()
    .min(60)
    .max(604_800)
    .default(86_400)
    .describe(
      "An anomaly that could not be told for this long is given up and becomes a dead letter.",
    ),
  dead_letter_limit: z
    .int()
    .min(0)
    .max(10_000)
    .default(500)
    .describe("Dead letters kept for each channel, for `nam alerts retry`; the oldest go first."),
  outbox_max_mib: z
    .int()
    .min(1)
    .max(1_024)
    .default(64)
    .describe("Largest size of the database with what is still to be told, in MiB."),
  routes: z
    .array(routeFields)
    .default([])
    .describe(
      "What goes where. A channel that a route names is told only what takes one of its routes, the first that fits; a " +
        "channel that none names is told everything from its minimum severity on.",
    ),
  maintenance: z
    .array(maintenanceFields)
    .default([])
    .describe(
      "Times that are known to be noisy. Messages are held back, events and metrics are not.",
    ),
});

export type AlertSettings = z.output<typeof alertFields>;
