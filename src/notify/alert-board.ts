// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Alert } from "../alert/alert.ts";
import { cleanEvent, isoTime, noticeOf } from "./event.ts";
import type { Anomaly } from "./parts.ts";
import { clean } from "./text.ts";

// Alertmanager's own client (Prometheus) sends what fires every minute with an end 4 minutes away, and what is over
// for a while longer, so that a message that was missed is made up for.
const FIRING_MS = 240_000;
const RESOLVED_MS = 300_000;
/** Detectors bound their own number; this is only a backstop. */
const ALERTS_MAX = 8_192;

/** One alert of https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml (`postableAlert`). */
export interface AlertmanagerAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
}

interface Entry {
  readonly anomaly: Anomaly;
  readonly agent: string;
  /** When it was over; null while it fires. */
  readonly endedMs: number | null;
}

/** What fires, and what ended in the last 5 minutes. Times are milliseconds since 1970. */
export class AlertBoard {
  readonly #entries = new Map<string, Entry>();

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** Takes changes; gives what is to be sent because of them. */
  accept(
    { anomalies, agent }: Pick<Alert, "anomalies" | "agent">,
    nowMs: number,
  ): AlertmanagerAlert[] {
    return anomalies.flatMap((anomaly) => this.#change(anomaly, agent, nowMs));
  }

  /** Everything that has to be sent again, and forgets what ended too long ago. */
  list(nowMs: number): AlertmanagerAlert[] {
    for (const [key, { endedMs }] of this.#entries) {
      if (endedMs !== null && nowMs - endedMs > RESOLVED_MS) this.#entries.delete(key);
    }
    return [...this.#entries.values()].map((entry) => postable(entry, nowMs));
  }

  #change(anomaly: Anomaly, agent: string, nowMs: number): AlertmanagerAlert[] {
    const ended: AlertmanagerAlert[] = [];
    // The severity is part of an alert's identity: where it rose, the alert of the old one is over.
    for (const [key, entry] of this.#entries) {
      const isOther = entry.anomaly.severity !== anomaly.severity;
      if (entry.anomaly.id !== anomaly.id || !isOther || entry.endedMs !== null) continue;
      const over = { ...entry, endedMs: nowMs };
      this.#entries.set(key, over);
      ended.push(postable(over, nowMs));
    }
    const isOver = anomaly.state === "resolved";
    const entry = { anomaly: cleanEvent(anomaly), agent, endedMs: isOver ? nowMs : null };
    this.#entries.set(`${anomaly.id}|${anomaly.severity}`, entry);
    for (const key of this.#entries.keys()) {
      if (this.#entries.size <= ALERTS_MAX) break;
      this.#entries.delete(key);
    }
    return [...ended, postable(entry, nowMs)];
  }
}

/** An alert for a message without an anomaly: a test ends by itself, a sign of life when the next two are missing. */
export function noticeAlert(alert: Alert, nowMs: number, heartbeatMs: number): AlertmanagerAlert {
  const { kind, text } = noticeOf(alert);
  const alertname = kind === "heartbeat" ? "NamDirectWatchdog" : "NamDirectTest";
  const severity = kind === "heartbeat" ? "none" : "info";
  return {
    labels: labelsOf({ alertname, severity, instance: alert.agent }),
    annotations: { summary: `A ${text} of network-anomaly-monitor.` },
    startsAt: isoTime(nowMs),
    endsAt: isoTime(nowMs + (kind === "heartbeat" ? 2.5 * heartbeatMs : 60_000)),
  };
}

function postable({ anomaly, agent, endedMs }: Entry, nowMs: number): AlertmanagerAlert {
  // A clock that was set back must not make an alert end before it began: that is refused.
  const startMs = Math.min(anomaly.first_seen * 1_000, endedMs ?? nowMs);
  return {
    labels: labelsOf({
      alertname: `NamDirect${camelCase(anomaly.detector)}`,
      severity: anomaly.severity,
      instance: agent,
      detector: anomaly.detector,
      protocol: anomaly.protocol,
      interface: anomaly.interface,
      entity: anomaly.entity.key,
      incident: anomaly.id,
    }),
    annotations: labelsOf({
      summary: anomaly.explanation,
      description: anomaly.evidence.join("; "),
      setting: anomaly.threshold.setting,
      wireshark_filter: anomaly.suggestion.wireshark_filter,
      promql: anomaly.suggestion.promql,
    }),
    startsAt: isoTime(startMs),
    endsAt: isoTime(endedMs ?? nowMs + FIRING_MS),
  };
}

/** Empty values are no labels to Alertmanager. */
function labelsOf(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values)
      .map(([name, value]) => [name, clean(value, 1_024)] as const)
      .filter(([, value]) => value !== ""),
  );
}

function camelCase(detector: string): string {
  return detector
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}
