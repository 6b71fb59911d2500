// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Alert } from "../alert/alert.ts";
import type { Anomaly } from "./parts.ts";
import { safe } from "./text.ts";

export const AGENT_MAX = 64;

/** Words of detector names that are not written in lower case. */
const ACRONYMS: Readonly<Record<string, string>> = {
  ai: "AI",
  arp: "ARP",
  cpu: "CPU",
  dga: "DGA",
  dhcp: "DHCP",
  dns: "DNS",
  http: "HTTP",
  icmp: "ICMP",
  ipv6: "IPv6",
  ml: "ML",
  nxdomain: "NXDOMAIN",
  rcf: "RCF",
  ssh: "SSH",
  syn: "SYN",
  tcp: "TCP",
  tls: "TLS",
  txt: "TXT",
  udp: "UDP",
};

/** A detector's name in words: `syn_flood` is a "SYN flood". */
export function kindOf(detector: string): string {
  const words = safe(detector, 64).split("_");
  return words.map((word) => ACRONYMS[word] ?? word).join(" ");
}

/** The anomaly in a few words: "CRITICAL port scan from 10.0.0.5". */
export function wordsOf(anomaly: Anomaly): string {
  const rank = anomaly.state === "resolved" ? "RESOLVED" : anomaly.severity.toUpperCase();
  return [rank, kindOf(anomaly.detector), subjectOf(anomaly)]
    .filter((part) => part !== "")
    .join(" ");
}

/** The title line: "CRITICAL port scan from 10.0.0.5 on host-a". */
export function titleOf(anomaly: Anomaly, alert: Alert): string {
  const place = `on ${safe(alert.agent, AGENT_MAX)}`;
  if (alert.state === "update" && anomaly.state !== "resolved") {
    return `${wordsOf(anomaly)} ${place} goes on`;
  }
  if (alert.state === "open" && anomaly.state === "resolved") {
    const { severity } = anomaly;
    return `${wordsOf({ ...anomaly, state: "open", severity })} ${place}, over already`;
  }
  return `${wordsOf(anomaly)} ${place}`;
}

/** Who or what the anomaly is about, with the preposition that fits. */
function subjectOf({ entity }: Anomaly): string {
  const source = named(entity.source);
  const destination = named(entity.destination);
  switch (entity.kind) {
    case "source":
      return source ? `from ${source}` : `from ${safe(entity.key)}`;
    case "destination":
      return destination ? `against ${destination}` : `against ${safe(entity.key)}`;
    case "service":
      return `against ${withPort(destination ?? safe(entity.key), entity.port)}`;
    case "pair":
      return pairOf(source, destination, safe(entity.key), entity.domain);
    case "binding":
      return `of ${source ?? destination ?? safe(entity.key)}${entity.mac ? ` by ${safe(entity.mac)}` : ""}`;
    case "signal":
      return `in ${safe(entity.signal ?? entity.key).replaceAll("_", " ")}`;
    case "process":
      return `by ${safe(entity.process ?? entity.key)}`;
    case "host":
    case "agent":
      return entity.signal ? `(${safe(entity.signal).replaceAll("_", " ")})` : "";
  }
}

function pairOf(
  source: string | undefined,
  destination: string | undefined,
  key: string,
  domain: string | undefined,
): string {
  if (!source) return `between ${key}`;
  const target = destination ?? named(domain);
  return target ? `from ${source} to ${target}` : `from ${source}`;
}

function withPort(host: string, port: number | undefined): string {
  if (port === undefined) return host;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function named(name: string | undefined): string | undefined {
  return name === undefined || name === "" ? undefined : safe(name);
}
