// SPDX-License-Identifier: AGPL-3.0-or-later
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

export { aiSettings, flowSettings } from "./settings.ts";

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
