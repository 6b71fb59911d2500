// SPDX-License-Identifier: AGPL-3.0-or-later
import type { ArpRow, Dispute } from "./arp-claims.ts";
import type { Finding, Tick } from "./detector.ts";
import { count, duration, number } from "./text.ts";

/** What one MAC said of all its addresses in one tick. */
export interface MacClaims {
  readonly mac: string;
  readonly claimed: readonly string[];
  readonly gratuitous: number;
  /** Distinct addresses of the last 5 minutes. */
  readonly addresses: number;
}

type Specific = Omit<Finding, "protocol" | "windowSeconds" | "samples" | "suggestion">;

/** An address is claimed by a MAC it does not belong to. */
export function spoofedAddress(
  tick: Tick,
  row: ArpRow,
  { intruder, rightful, kind }: Dispute,
  router: boolean,
  stableSeconds: number,
): Finding {
  const known =
    kind === "taken" && row.kind === "changed"
      ? `the binding to ${rightful} was known for ${duration(row.previousAgeMs / 1000)}, by ${count(row.previousSightings, "packet")}`
      : "both were heard within minutes and take the address from each other";
  const specific: Specific = {
    entity: { kind: "binding", key: row.address, destination: row.address, mac: intruder },
    severity: router ? "critical" : "warning",
    observed: row.replies + row.gratuitous,
    expected: 0,
    threshold: { value: stableSeconds, setting: "detectors.arp_spoof.stable_seconds" },
    evidence: [
      `${intruder} claims ${row.address}, which belongs to ${rightful}`,
      known,
      `${count(row.replies, "ARP reply", "ARP replies")} and ${count(row.gratuitous, "announcement")} in this window`,
      `${intruder} claimed ${count(row.addressesOfMac, "address", "addresses")} in 5 minutes`,
      `nobody had asked for ${number(row.unsolicited)} of its ${count(row.sightings, "claim")} so far`,
    ],
    explanation: `${intruder} answers for ${row.address}${router ? " (a router)" : ""}, whose MAC is ${rightful}: traffic to it can be read or changed on the way, unless two machines were given the same address by mistake.`,
  };
  return finding(tick, specific, `arp.src.proto_ipv4 == ${row.address}`);
}

/** A MAC announces itself again and again. */
export function announcementFlood(tick: Tick, claims: MacClaims, limit: number): Finding {
  const { mac, claimed, gratuitous } = claims;
  const rate = gratuitous / Math.max(1, tick.seconds);
  const specific: Specific = {
    entity: { kind: "binding", key: mac, mac },
    severity: "warning",
    observed: rate,
    expected: 0,
    threshold: { value: limit, setting: "detectors.arp_spoof.announcements" },
    evidence: [
      `${count(gratuitous, "gratuitous ARP packet")} in ${duration(tick.seconds)}`,
      `for ${namesOf(claimed)}`,
    ],
    explanation: `${mac} announces its addresses ${number(rate)} times/s without being asked: a spoofing tool, or a device that is broken.`,
  };
  return finding(tick, specific, `arp.isgratuitous == 1 && arp.src.hw_mac == ${mac}`);
}

/** A MAC answers for very many addresses. */
export function manyAddresses(tick: Tick, claims: MacClaims, limit: number): Finding {
  const { mac, claimed, addresses } = claims;
  const specific: Specific = {
    entity: { kind: "binding", key: `${mac} addresses`, mac },
    severity: "info",
    observed: addresses,
    expected: 1,
    threshold: { value: limit, setting: "detectors.arp_spoof.addresses" },
    evidence: [`now for ${namesOf(claimed)}`],
    explanation: `${mac} claimed ${count(addresses, "address", "addresses")} in 5 minutes: a router that answers for others, a host with many addresses, or a spoofing tool.`,
  };
  return finding(tick, specific, `arp.src.hw_mac == ${mac}`);
}

function finding(tick: Tick, specific: Specific, filter: string): Finding {
  return {
    ...specific,
    protocol: "arp",
    windowSeconds: tick.seconds,
    samples: tick.window.rows.arp.length,
    suggestion: {
      wireshark_filter: filter,
      promql: 'sum(rate(nam_network_packets_total{protocol="arp"}[1m]))',
    },
  };
}

function namesOf(addresses: readonly string[]): string {
  const shown = addresses.slice(0, 5).join(", ");
  return addresses.length > 5 ? `${shown} and ${number(addresses.length - 5)} more` : shown;
}
