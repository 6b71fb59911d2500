// SPDX-License-Identifier: AGPL-3.0-or-later

import { type Alert, type ChannelDefinition, routingSettings } from "../alert/alert.ts";
import type { Log } from "../util/log.ts";
import { z } from "../util/zod.ts";
import { cleanEvent, noticeOf } from "./event.ts";
import type { Anomaly } from "./parts.ts";

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
      if (alert.anomalies.length === 0) {
        const { kind, text } = noticeOf(alert);
        output.info({ [kind]: true, agent: alert.agent }, text);
      }
      for (const anomaly of alert.anomalies) write(anomaly, alert, output);
      return { outcome: "delivered", detail: "written to the log" };
    },
  }),
} satisfies ChannelDefinition<z.output<typeof settings>>;

function write(anomaly: Anomaly, alert: Alert, output: Log): void {
  const line = { event: cleanEvent(anomaly), agent: alert.agent };
  if (anomaly.state === "resolved") output.info(line, "anomaly resolved");
  else if (anomaly.severity === "info") output.info(line, "anomaly");
  else output.warn(line, "anomaly");
}
