// SPDX-License-Identifier: AGPL-3.0-or-later
import ipaddr from "ipaddr.js";
import type { Anomaly } from "./parts.ts";

// ArcSight Common Event Format, revision 25: https://www.microfocus.com/documentation/arcsight/arcsight-smartconnectors/
/** Severities of 0 to 10; 7 and more are high. */
const SEVERITY = { info: 3, warning: 6, critical: 9 } as const;

/** One event in CEF. Its texts must be free of control characters, as `cleanEvent` makes them. */
export function cefOf(event: Anomaly, version: string): string {
  const name = event.detector.replaceAll("_", " ");
  const header = ["network-anomaly-monitor", "nam", version, event.detector, name].map(headerText);
  return `CEF:0|${header.join("|")}|${SEVERITY[event.severity]}|${extensionOf(event)}`;
}

function extensionOf(event: Anomaly): string {
  const { entity, threshold } = event;
  const values: Readonly<Record<string, string | number | undefined>> = {
    rt: milliseconds(event.time),
    start: milliseconds(event.first_seen),
    ...(event.state === "resolved" ? { end: milliseconds(event.time) } : {}),
    act: event.state,
    externalId: event.id,
    cat: event.class,
    cnt: event.count,
    ...addressOf("src", "c6a2", "Source IPv6 Address", entity.source),
    ...addressOf("dst", "c6a3", "Destination IPv6 Address", entity.destination),
    dpt: entity.port,
    app: event.protocol,
    deviceInboundInterface: event.interface,
    cs1: threshold.setting,
    cs1Label: "setting",
    cs2: entity.key,
    cs2Label: "entity",
    cs3: event.evidence.join("; "),
    cs3Label: "evidence",
    msg: event.explanation,
  };
  return Object.entries(values)
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([key, value]) => `${key}=${extensionText(String(value))}`)
    .join(" ");
}

/** Address fields of CEF are of IPv4 alone; IPv6 has custom fields. */
function addressOf(
  v4: string,
  v6: string,
  label: string,
  address: string | undefined,
): Record<string, string> {
  if (address === undefined || !ipaddr.isValid(address)) return {};
  return ipaddr.parse(address).kind() === "ipv4"
    ? { [v4]: address }
    : { [v6]: address, [`${v6}Label`]: label };
}

function milliseconds(seconds: number): number {
  return Math.round(seconds * 1_000);
}

function headerText(text: string): string {
  return text.replace(/[\\|]/g, "\\$&").replace(/[\r\n]+/g, " ");
}

function extensionText(text: string): string {
  return text.replace(/[\\=]/g, "\\$&").replace(/\r\n|\r|\n/g, "\\n");
}
