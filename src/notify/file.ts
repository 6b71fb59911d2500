// SPDX-License-Identifier: AGPL-3.0-or-later

import { type Alert, type ChannelDefinition, routingSettings } from "../alert/alert.ts";
import { productBuild } from "../util/version.ts";
import { z } from "../util/zod.ts";
import { type EventLine, ecsEvent, ecsNotice } from "./ecs.ts";
import { eveEvent, eveNotice } from "./eve.ts";
import { cleanEvent } from "./event.ts";
import { codeOf } from "./failure.ts";
import { RotatingFile } from "./rotating-file.ts";

const settings = z.strictObject({
  ...routingSettings("file"),
  minimum_severity: routingSettings("file").minimum_severity.default("info"),
  path: z.string().min(1).describe("File the lines are appended to; its folder must exist."),
  format: z
    .enum(["ecs", "eve"])
    .default("ecs")
    .describe("Form of the lines: Elastic Common Schema, or alerts of Suricata's EVE."),
  max_mib: z
    .number()
    .min(0.001)
    .max(4_096)
    .default(64)
    .describe("The file is renamed to path.1 before it would become larger than this many MiB."),
  keep: z.int().min(0).max(1_000).default(5).describe("Renamed files that are kept."),
  fsync: z
    .boolean()
    .default(true)
    .describe(
      "Wait for the disk with every message, so that what was delivered survives a power cut.",
    ),
});

/** A file of JSON lines, for shippers of logs. */
export const file = {
  type: "file",
  help: "A file of JSON lines (ECS or Suricata EVE), rotated by size; it stays on this machine",
  settings,
  rate: { perSecond: 1_000, burst: 1_000 },
  usesNetwork: false,
  everyEvent: true,
  create({ path, format, max_mib, keep, fsync }) {
    const { version } = productBuild();
    const output = new RotatingFile({ path, maxBytes: max_mib * 1_048_576, keep, fsync });
    return {
      async send(alert) {
        try {
          await output.append(linesOf(alert, format, version));
          return { outcome: "delivered", detail: `written to the file` };
        } catch (error) {
          const detail = `the file cannot be written (${codeOf(error) ?? "error"})`;
          return { outcome: "retry", reason: "server_error", detail };
        }
      },
    };
  },
} satisfies ChannelDefinition<z.output<typeof settings>>;

/** The lines of one message, each with its LF. */
export function linesOf(alert: Alert, format: "ecs" | "eve", version: string): string {
  const line: EventLine = { agent: alert.agent, version };
  const [event, notice] = format === "ecs" ? [ecsEvent, ecsNotice] : [eveEvent, eveNotice];
  const entries =
    alert.anomalies.length > 0
      ? alert.anomalies.map((anomaly) => event(cleanEvent(anomaly), line))
      : [notice(alert, line)];
  return entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
}
