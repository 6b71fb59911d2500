// SPDX-License-Identifier: AGPL-3.0-or-later
// Wireshark display filters and PromQL for findings: where to look next.
import type { Tick } from "./detector.ts";

/** Connection attempts, in Wireshark's terms. */
export const SYN_ONLY = "tcp.flags.syn == 1 && tcp.flags.ack == 0";

/** Values of `protocol` labels that are Wireshark protocols, and how Wireshark calls them. */
const WIRESHARK_PROTOCOLS: Readonly<Record<string, string>> = {
  arp: "arp",
  ipv4: "ip",
  ipv6: "ipv6",
  tcp: "tcp",
  udp: "udp",
  icmp: "icmp",
  icmpv6: "icmpv6",
  igmp: "igmp",
  sctp: "sctp",
  gre: "gre",
  esp: "esp",
  dns: "dns",
  mdns: "mdns",
  llmnr: "llmnr",
  tls: "tls",
  quic: "quic",
  http: "http",
  ssh: "ssh",
  dhcp: "dhcp",
  ntp: "ntp",
};

/** Packets from or to an address, IPv4 or IPv6. */
export function addressFilter(side: "src" | "dst", address: string): string {
  return `${address.includes(":") ? "ipv6" : "ip"}.${side} == ${address}`;
}

/** Packets of a protocol label value; everything where Wireshark has no such protocol. */
export function protocolFilter(protocol: string): string {
  return WIRESHARK_PROTOCOLS[protocol] ?? "frame";
}

/** The last `seconds` before the end of the tick. */
export function timeFilter(tick: Tick, seconds: number): string {
  const end = tick.timeMs / 1000;
  return `frame.time_epoch >= ${(end - seconds).toFixed(3)} && frame.time_epoch <= ${end.toFixed(3)}`;
}

/** A signal beside its baseline. */
export function signalQuery(signal: string): string {
  return `nam_signal_value{signal="${signal}"} or nam_baseline_mean{signal="${signal}"}`;
}

/** DNS messages of a client about names below a domain. Of a domain with odd characters the client alone is asked. */
export function dnsFilter(client: string, domain: string): string {
  const version = client.includes(":") ? "ipv6" : "ip";
  const about = /^[a-z0-9_.-]+$/i.test(domain) ? ` && dns.qry.name contains "${domain}"` : "";
  return `dns && ${version}.addr == ${client}${about}`;
}
