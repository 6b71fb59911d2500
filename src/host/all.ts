// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";

/** The `host:` section of the configuration. */
export const hostSettings = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe("Watch CPU, memory and load of the machine the agent runs on."),
    process_groups: z
      .boolean()
      .default(true)
      .describe("Also watch the processes, as groups of one name; never as single processes."),
    top_groups: z
      .int()
      .min(1)
      .max(50)
      .default(10)
      .describe("Process groups that are told by name; all others are one group called other."),
    group_interval_seconds: z
      .number()
      .min(1)
      .default(5)
      .describe("Seconds between two looks at the processes."),
  })
  .prefault({})
  .describe("The machine the agent runs on.");
