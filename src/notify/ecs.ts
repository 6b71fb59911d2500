// SPDX-License-Identifier: AGPL-3.0-or-later
import ipaddr from "ipaddr.js";
import type { Alert } from "../alert/alert.ts";
import { isoTime, noticeOf } from "./event.ts";
import type { Anomaly } from "./parts.ts";
import { clean } from "./text.ts";

/** https://www.elastic.co/docs/reference/ecs/ecs-ecs: the version of the schema, not of the product. */
const ECS_VERSION = "9.0.0";
const MODULE = "network_anomaly_monitor";

/** Who writes a line. */
export interface EventLine {
  readonly agent: string;
  readonly version: string;
}

/** Severities as https://www.elastic.co/docs/reference/ecs/ecs-event#field-event-severity leaves them to the source. */
const SEVERITY = { info: 21, warning: 47, critical: 99 } as const;

/** An event in the Elastic Common Schema, https://www.elastic.co/docs/reference/ecs */
export function ecsEvent(event: Anomaly, line: EventLine): Record<string, unknown> {
  const { entity } = event;
  return {
    "@timestamp": isoTime(event.time * 1_000),
    ...common(line),
    message: event.explanation,
    event: {
      kind: "alert",
      category: ["network"],
      type: [event.state === "resolved" ? "end" : event.state === "open" ? "start" : "info"],
      module: MODULE,
      dataset: `${MODULE}.anomaly`,
      action: event.state,
      id: event.id,
      start: isoTime(event.first_seen * 1_000),
      ...(event.state === "resolved" ? { end: isoTime(event.time * 1_000) } : {}),
      severity: SEVERITY[event.severity],
      risk_score: SEVERITY[event.severity],
    },
    rule: { id: event.detector, name: event.detector, category: event.class },
    ...endpoint("source", entity.source, undefined, entity.mac),
    ...endpoint("destination", entity.destination, entity.port, undefined),
    network: { protocol: event.protocol.toLowerCase() },
    ...(entity.domain ? { dns: { question: { name: entity.domain } } } : {}),
    ...(entity.process ? { process: { name: entity.process } } : {}),
    nam: event,
  };
}

/** A message without an anomaly. */
export function ecsNotice(alert: Alert, line: EventLine): Record<string, unknown> {
  const { kind, text } = noticeOf(alert);
  return {
    "@timestamp": isoTime(alert.createdMs),
    ...common(line),
    message: text,
    event: { kind: "event", module: MODULE, dataset: `${MODULE}.${kind}`, action: kind },
  };
}

function common({ agent, version }: EventLine): Record<string, unknown> {
  const name = clean(agent);
  return {
    ecs: { version: ECS_VERSION },
    observer: { hostname: name, type: "sensor", vendor: MODULE, product: MODULE, version },
  };
}

/** `ip` is a field of type IP: what is no address would make the whole line unreadable to Elasticsearch. */
function endpoint(
  side: "source" | "destination",
  address: string | undefined,
  port: number | undefined,
  mac: string | undefined,
): Record<string, unknown> {
  if (!address) return {};
  const ip = ipaddr.isValid(address) ? { ip: address } : {};
  const numbered = port === undefined ? {} : { port };
  // https://www.elastic.co/docs/reference/ecs/ecs-source#field-source-mac: RFC 7042 form.
  const hardware = mac ? { mac: mac.toUpperCase().replaceAll(":", "-") } : {};
  return { [side]: { address, ...ip, ...numbered, ...hardware } };
}
