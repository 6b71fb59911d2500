// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import { aiNames } from "./ai/settings.ts";

/** A flow's slot is kept in 21 bits where space is dear. */
const MOST_FLOWS = 2 ** 21;

/** The `flow:` section of the configuration. */
export const flowSettings = z
  .strictObject({
    capacity: z
      .int()
      .min(1024)
      .max(MOST_FLOWS)
      .default(262_144)
      .describe(
        "Most flows that each sensor follows at once, rounded up to a power of two; each takes 106 bytes. Beyond it the flow closest to its time-out makes room.",
      ),
  })
  .prefault({})
  .describe("How traffic is followed.");

/** The `ai:` section of the configuration. */
export const aiSettings = aiNames
  .prefault({})
  .describe("Which names belong to AI providers. Read at the start, not at a reload.");
