// SPDX-License-Identifier: AGPL-3.0-or-later
import { aiBeacon } from "./ai-beacon.ts";
import { aiDirectIp } from "./ai-direct-ip.ts";
import { aiFingerprint } from "./ai-fingerprint.ts";
import { aiLateral } from "./ai-lateral.ts";
import { aiNewDestination } from "./ai-new-destination.ts";
import { aiNewProvider } from "./ai-new-provider.ts";
import { aiRunawayLoop } from "./ai-runaway-loop.ts";
import { aiServerExposed } from "./ai-server-exposed.ts";
import { aiToolFanout } from "./ai-tool-fanout.ts";
import { aiUnknownStream } from "./ai-unknown-stream.ts";
import { aiUploadJump } from "./ai-upload-jump.ts";
import { amplification, dnsFlood } from "./amplification.ts";
import { arpSpoof } from "./arp-spoof.ts";
import { beacon } from "./beacon.ts";
import { bruteForce } from "./brute-force.ts";
import type { DetectorDefinition } from "./detector.ts";
import { dga } from "./dga.ts";
import { dhcpStarvation } from "./dhcp-starvation.ts";
import { distributedBruteForce } from "./distributed-brute-force.ts";
import { nxdomainRatio, txtRatio } from "./dns-ratio.ts";
import { dnsTunnel } from "./dns-tunnel.ts";
import { drift } from "./drift.ts";
import { entropyShift } from "./entropy-shift.ts";
import { environmentChange } from "./environment-change.ts";
import { exfiltration } from "./exfiltration.ts";
import { icmpFlood, tcpFlagFlood, udpFlood } from "./floods.ts";
import { land, spoofedFlood } from "./forged-sources.ts";
import { handshakeFailure } from "./handshake-failure.ts";
import { hostUsage } from "./host-usage.ts";
import { httpFlood } from "./http-flood.ts";
import { icmpOversized, icmpTunnel } from "./icmp-payload.ts";
import { levelShift } from "./level-shift.ts";
import { macFlood } from "./mac-flood.ts";
import { metadataAccess } from "./metadata-access.ts";
import { multiSignal } from "./multi-signal.ts";
import { newHost, newService, rareCombo, rareTls } from "./novelty.ts";
import { overBudget } from "./over-budget.ts";
import { hostSweep, portScan } from "./port-scan.ts";
import { processUsage } from "./process-usage.ts";
import { rogueDhcp } from "./rogue-dhcp.ts";
import { rogueRouter } from "./rogue-router.ts";
import { seasonal } from "./seasonal.ts";
import { selfWatch } from "./self.ts";
import { serviceProbe } from "./service-probe.ts";
import { detectSettingsSchema } from "./settings.ts";
import { silence } from "./silence.ts";
import { slowDos, slowRead } from "./slow-dos.ts";
import { slowScan } from "./slow-scan.ts";
import { stealthScan } from "./stealth-scan.ts";
import { arpSweep, pingSweep } from "./sweeps.ts";
import { synFlood } from "./syn-flood.ts";
import { tlsProbe } from "./tls-probe.ts";
import { unusualPort } from "./unusual-port.ts";
import { volumeDrop, volumeSpike } from "./volume.ts";

/** Every detector of the product, in the order in which a tick asks them. */
export const detectors: readonly DetectorDefinition<unknown>[] = [
  portScan,
  hostSweep,
  ...[stealthScan, slowScan, pingSweep, arpSweep],
  synFlood,
  ...[udpFlood, icmpFlood, tcpFlagFlood, spoofedFlood, land],
  ...[amplification, dnsFlood, icmpTunnel, icmpOversized],
  ...[bruteForce, distributedBruteForce, httpFlood, slowDos, slowRead],
  handshakeFailure,
  ...[arpSpoof, rogueDhcp, rogueRouter, macFlood, dhcpStarvation],
  volumeSpike,
  volumeDrop,
  levelShift,
  seasonal,
  drift,
  entropyShift,
  environmentChange,
  hostUsage,
  processUsage,
  ...[dnsTunnel, dga, nxdomainRatio, txtRatio],
  ...[beacon, exfiltration, unusualPort, serviceProbe, tlsProbe],
  ...[newHost, newService, rareCombo, rareTls],
  ...[aiNewProvider, aiFingerprint, aiDirectIp, aiServerExposed, aiLateral, metadataAccess],
  ...[aiRunawayLoop, aiUnknownStream, aiUploadJump, aiNewDestination, aiBeacon, aiToolFanout],
  ...[silence, selfWatch, overBudget],
  // Last, since it judges what the others found.
  multiSignal,
];

/** Schema of the `detectors:` section of the configuration. */
export const detectSettings = detectSettingsSchema(detectors);
