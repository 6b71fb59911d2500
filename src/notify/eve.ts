// SPDX-License-Identifier: AGPL-3.0-or-later
import { createHash } from "node:crypto";
import ipaddr from "ipaddr.js";
import type { Alert } from "../alert/alert.ts";
import type { EventLine } from "./ecs.ts";
import { isoTime, noticeOf } from "./event.ts";
import type { Anomaly } from "./parts.ts";
import { clean } from "./text.ts";

/** Rule numbers that Suricata leaves to local rules: 1,000,000 to 1,999,999. */
const LOCAL_SID = 1_000_000;
/** https://docs.suricata.io/en/latest/output/eve/eve-json-format.html#event-type-alert: 1 is the most severe. */
const SEVERITY = { critical: 1, warning: 2, info: 3 } as const;
const TRANSPORTS = new Set(["tcp", "udp", "icmp", "sctp"]);

/** An event as an alert of Suricata's EVE. What EVE has no field for is in `alert.metadata`, as lists of texts. */
export function eveEvent(event: Anomaly, line: EventLine): Record<string, unknown> {
  const { entity } = event;
  const protocol = event.protocol.toLowerCase();
  const isTransport = TRANSPORTS.has(protocol);
  return {
    timestamp: eveTime(event.time * 1_000),
    host: clean(line.agent),
    in_iface: event.interface,
    event_type: "alert",
    ...addressOf("src_ip", entity.source),
    ...addressOf("dest_ip", entity.destination),
    ...(entity.port === undefined ? {} : { dest_port: entity.port }),
    ...(isTransport ? { proto: protocol.toUpperCase() } : { app_proto: protocol }),
    alert: {
      action: "allowed",
      gid: 1,
      signature_id: signatureId(event.detector),
      rev: 1,
      signature: `NAM ${event.detector}: ${event.explanation}`,
      category: event.class,
      severity: SEVERITY[event.severity],
      metadata: {
        nam_incident: [event.id],
        nam_state: [event.state],
        nam_detector: [event.detector],
        nam_severity: [event.severity],
        nam_entity: [entity.key],
        nam_evidence: event.evidence,
        nam_setting: [event.threshold.setting],
        nam_observed: [String(event.observed)],
        nam_expected: [String(event.expected)],
      },
    },
  };
}

/** A message without an anomaly, as Suricata's own statistics are written. */
export function eveNotice(alert: Alert, line: EventLine): Record<string, unknown> {
  const { kind, text } = noticeOf(alert);
  return {
    timestamp: eveTime(alert.createdMs),
    host: clean(line.agent),
    event_type: "engine",
    engine: { module: "network-anomaly-monitor", message: text, level: kind },
  };
}

/** `2026-01-15T12:00:00.000000+0000`: microseconds, and no colon in the offset. */
function eveTime(timeMs: number): string {
  return isoTime(timeMs).replace(/Z$/, "000+0000");
}

/** The same for a detector in every version, and on every machine. */
function signatureId(detector: string): number {
  const digest = createHash("sha256").update(detector).digest();
  return LOCAL_SID + (digest.readUInt32BE(0) % LOCAL_SID);
}

function addressOf(
  name: "src_ip" | "dest_ip",
  address: string | undefined,
): Record<string, string> {
  return address !== undefined && ipaddr.isValid(address) ? { [name]: address } : {};
}
