// SPDX-License-Identifier: AGPL-3.0-or-later

import {
  type Alert,
  type ChannelDefinition,
  type Delivery,
  routingSettings,
} from "../alert/alert.ts";
import { z } from "../util/zod.ts";
import { cleanEvent, isoTime, noticeOf } from "./event.ts";
import { codeOf } from "./failure.ts";

const settings = z.strictObject({
  ...routingSettings("stdout"),
  minimum_severity: routingSettings("stdout").minimum_severity.default("info"),
});

/** Standard output: one line of JSON an event. */
export const stdout = {
  type: "stdout",
  help: "Standard output, one line of JSON an event; it stays on this machine",
  settings,
  rate: { perSecond: 1_000, burst: 1_000 },
  usesNetwork: false,
  everyEvent: true,
  create: () => ({ send: (alert) => print(linesOf(alert)) }),
} satisfies ChannelDefinition<z.output<typeof settings>>;

function linesOf(alert: Alert): string {
  const { agent } = alert;
  const entries =
    alert.anomalies.length > 0
      ? alert.anomalies.map((anomaly) => ({ agent, event: cleanEvent(anomaly) }))
      : [{ agent, time: isoTime(alert.createdMs), [noticeOf(alert).kind]: noticeOf(alert).text }];
  return entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
}

/** Resolves once the lines are with the kernel, or the reader is gone. */
function print(text: string): Promise<Delivery> {
  return new Promise((resolve) => {
    process.stdout.write(text, (error) => {
      if (!error) resolve({ outcome: "delivered", detail: "written to standard output" });
      else {
        const detail = `standard output cannot be written (${codeOf(error) ?? "error"})`;
        resolve({ outcome: "retry", reason: "network", detail });
      }
    });
  });
}
