// SPDX-License-Identifier: AGPL-3.0-or-later
import { alertFields } from "./settings.ts";

/** The `alerts:` section of the configuration. */
export const alertSettings = alertFields
  .prefault({})
  .describe("How anomalies become messages, on every channel.");
