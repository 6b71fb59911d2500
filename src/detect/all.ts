// SPDX-License-Identifier: AGPL-3.0-or-later
import { arpSpoof } from "./arp-spoof.ts";
import type { DetectorDefinition } from "./detector.ts";
import { drift } from "./drift.ts";
import { environmentChange } from "./environment-change.ts";
import { handshakeFailure } from "./handshake-failure.ts";
import { hostUsage } from "./host-usage.ts";
import { levelShift } from "./level-shift.ts";
import { hostSweep, portScan } from "./port-scan.ts";
import { processUsage } from "./process-usage.ts";
import { seasonal } from "./seasonal.ts";
import { detectSettingsSchema } from "./settings.ts";
import { synFlood } from "./syn-flood.ts";
import { volumeDrop, volumeSpike } from "./volume.ts";

/** Every detector of the product, in the order in which a tick asks them. */
export const detectors: readonly DetectorDefinition<unknown>[] = [
  portScan,
  hostSweep,
  synFlood,
  handshakeFailure,
  arpSpoof,
  volumeSpike,
  volumeDrop,
  levelShift,
  seasonal,
  drift,
  environmentChange,
  hostUsage,
  processUsage,
];

/** Schema of the `detectors:` section of the configuration. */
export const detectSettings = detectSettingsSchema(detectors);
