// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Configured } from "./config/configured.ts";
import { networksSettings, tlsSettings } from "./config/network-sections.ts";
import { aiSettings, flowSettings } from "./flow/settings.ts";
import { validate } from "./util/validate.ts";
import { z } from "./util/zod.ts";

const packetSections = z.object({
  networks: networksSettings,
  tls: tlsSettings,
  flow: flowSettings,
  ai: aiSettings,
});

/** The sections of the configuration that reading packets depends on. */
export type PacketSections = z.output<typeof packetSections>;

/**
 * These sections of what was configured, with defaults; null where they hold what is wrong, which `completeConfig` says.
 * They need so little that packets can be read while everything else, with each detector and channel, is being loaded.
 */
export function readPacketSections({ layers }: Configured): PacketSections | null {
  const result = validate(packetSections, layers.value);
  return "problems" in result ? null : result.value;
}
