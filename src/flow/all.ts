// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import { aiNames } from "./ai/settings.ts";
import type { TrackerDefinition } from "./tracker.ts";
import { agentTalks } from "./trackers/agent-talks.ts";
import { aiAgents } from "./trackers/ai-agents.ts";
import { aiCalls } from "./trackers/ai-calls.ts";
import { aiDestinations } from "./trackers/ai-destinations.ts";
import { aiFlowsTracker } from "./trackers/ai-flows.ts";
import { applications } from "./trackers/applications.ts";
import { arp } from "./trackers/arp.ts";
import { arpAskers } from "./trackers/arp-askers.ts";
import { beacons } from "./trackers/beacons.ts";
import { contacts } from "./trackers/contacts.ts";
import { dhcpClients } from "./trackers/dhcp-clients.ts";
import { dhcpServers } from "./trackers/dhcp-servers.ts";
import { dnsDomains } from "./trackers/dns-domains.ts";
import { dnsHosts } from "./trackers/dns-hosts.ts";
import { dnsZones } from "./trackers/dns-zones.ts";
import { flowMix } from "./trackers/flow-mix.ts";
import { handshakes } from "./trackers/handshakes.ts";
import { icmpTalks } from "./trackers/icmp-talks.ts";
import { metadataAsks } from "./trackers/metadata-asks.ts";
import { pairs } from "./trackers/pairs.ts";
import { reflections } from "./trackers/reflections.ts";
import { routers } from "./trackers/routers.ts";
import { sourceMacs } from "./trackers/source-macs.ts";
import { targets } from "./trackers/targets.ts";
import { tcpProbes } from "./trackers/tcp-probes.ts";
import { tlsClients } from "./trackers/tls-clients.ts";
import { volumes } from "./trackers/volumes.ts";

/** Every tracker. A new one is a file in trackers/ and a line here. */
export const trackers: readonly TrackerDefinition[] = [
  ...[contacts, handshakes, arp],
  ...[dnsHosts, dnsDomains, dnsZones],
  ...[beacons, volumes, applications],
  ...[targets, tcpProbes, pairs, icmpTalks, arpAskers, reflections],
  ...[dhcpServers, dhcpClients, routers, sourceMacs],
  ...[flowMix, tlsClients],
  ...[aiFlowsTracker, aiCalls, aiAgents, aiDestinations],
  ...[agentTalks, metadataAsks],
];

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
