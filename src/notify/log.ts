// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "zod";
import { type Alert, type ChannelDefinition, routingSettings } from "../alert/alert.ts";
import type { Log } from "../util/log.ts";
import type { Anomaly } from "./parts.ts";
import { clean } from "./text.ts";

/** Generous: a log is for machines, but not for names of 64 KB. */
const TEXT_MAX = 1_024;

const settings = z.strictObject({
  ...routingSettings("log"),
  minimum_severity: routingSettings("log").minimum_severity.default("info"),
});

/** The program's own log: one line an event, with the whole event in it. */
export const log = {
  type: "log",
  help: "The program's own log, one line an event; it stays on this machine",
  settings,
  rate: { perSecond: 1_000, burst: 1_000 },
  usesNetwork: false,
  everyEvent: true,
  create: (_values, output) => ({
    async send(alert) {
      if (alert.test) output.info({ test: true, agent: alert.agent }, "test message");
      for (const anomaly of alert.anomalies) write(anomaly, alert, output);
      return { outcome: "delivered", detail: "written to the log" };
    },
  }),
} satisfies ChannelDefinition<z.output<typeof settings>>;

function write(anomaly: Anomaly, alert: Alert, output: Log): void {
  const line = { event: cleaned(anomaly), agent: alert.agent };
  if (anomaly.state === "resolved") output.info(line, "anomaly resolved");
  else if (anomaly.severity === "info") output.info(line, "anomaly");
  else output.warn(line, "anomaly");
}

/** The event with control characters taken from its texts: a terminal that shows the log obeys them. */
function cleaned(value: unknown): unknown {
  if (typeof value === "string") return clean(value, TEXT_MAX);
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, cleaned(part)]));
}
