// SPDX-License-Identifier: AGPL-3.0-or-later

import { alertSettings } from "../alert/all.ts";
import { captureSettings } from "../capture/all.ts";
import { detectSettings } from "../detect/all.ts";
import { aiSettings, flowSettings } from "../flow/all.ts";
import { hostSettings } from "../host/all.ts";
import { channelSettings } from "../notify/all.ts";
import { isLocalAddress, parseListenAddress } from "../util/listen-address.ts";
import { nearest } from "../util/nearest.ts";
import { z } from "../util/zod.ts";
import { networksSettings, tlsSettings } from "./network-sections.ts";
import {
  agentSettings,
  logSettings,
  stealthSetting,
  storageSettings,
  webSettings,
} from "./sections.ts";

/** The whole configuration: every stage's own slice under one roof. An empty input is valid. */
export const configSchema = z
  .strictObject({
    agent: agentSettings,
    capture: captureSettings,
    networks: networksSettings,
    tls: tlsSettings,
    flow: flowSettings,
    ai: aiSettings,
    detectors: detectSettings.describe("What is looked for, and how sure each detector must be."),
    host: hostSettings,
    alerts: alertSettings,
    channels: channelSettings,
    web: webSettings,
    storage: storageSettings,
    log: logSettings,
    stealth: stealthSetting,
  })
  .superRefine(({ alerts, channels }, context) => {
    const known = channels.map(({ name }) => name);
    for (const [route, { channels: named = [] }] of alerts.routes.entries()) {
      for (const [index, name] of named.entries()) {
        if (known.includes(name)) continue;
        const guess = nearest(name, known);
        context.addIssue({
          code: "custom",
          path: ["alerts", "routes", route, "channels", index],
          message: `no channel is called ${name}; ${guess ? `did you mean ${guess}?` : `there are: ${known.join(", ")}`}`,
        });
      }
    }
  })
  .superRefine(({ stealth, web }, context) => {
    for (const [index, text] of web.listen_address.entries()) {
      const address = parseListenAddress(text);
      if (!stealth || !address || isLocalAddress(address)) continue;
      context.addIssue({
        code: "custom",
        path: ["web", "listen_address", index],
        message: "stealth mode serves on loopback or a unix socket only; use 127.0.0.1:9977",
      });
    }
  });

export type Config = z.output<typeof configSchema>;
