// SPDX-License-Identifier: AGPL-3.0-or-later
import { agents } from "./agents.ts";
import { covert } from "./covert.ts";
import { floods } from "./floods.ts";
import { levels } from "./levels.ts";
import { link } from "./link.ts";
import { models } from "./models.ts";
import { names } from "./names.ts";
import { newcomers } from "./newcomers.ts";
import { scans } from "./scans.ts";
import { services } from "./services.ts";
import type { Story } from "./story.ts";

/** What a fresh agent finds at once. */
export const soon: readonly Story[] = [...floods, ...services, ...scans, ...link];
/** What hides, or is only found by who knows what is usual. */
export const later: readonly Story[] = [
  ...[...names, ...covert, ...newcomers],
  ...[...levels, ...models, ...agents],
];

/** Detectors that no packet of a capture file can make speak, and what proves them instead. */
export const WITHOUT_STORY: Readonly<Record<string, string>> = {
  host_usage: "judges CPU and memory of the host: host-usage.test.ts",
  process_usage: "judges processes of the host: host-usage.test.ts",
  over_budget: "counts the alarms of the other detectors for days: over-budget.test.ts",
  self: "judges losses and delays of a live capture, of which a file has none: the gallery, and test/e2e",
};
