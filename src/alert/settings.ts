// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "zod";

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
      "An anomaly that could not be told for this long is given up and counted as a dead letter.",
    ),
});

export type AlertSettings = z.output<typeof alertFields>;
