// SPDX-License-Identifier: AGPL-3.0-or-later
import { hostname } from "node:os";
import { LISTEN_ADDRESS_FORMS, parseListenAddress } from "../util/listen-address.ts";
import { LOG_FORMATS, LOG_LEVELS } from "../util/log.ts";
import { z } from "../util/zod.ts";

/** Paths that the server has other uses for. */
const TAKEN_PATH = /^\/(?:(?:-|api)(?:\/|$)|config$)/;

export const agentSettings = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(253)
      .optional()
      .transform((name) => name ?? hostname())
      .describe("Name of this agent in events and messages. Default: the host's name."),
  })
  .prefault({})
  .describe("Who speaks.");

export const webSettings = z
  .strictObject({
    listen_address: z
      .array(
        z.string().refine((text) => parseListenAddress(text) !== null, {
          error: `must be ${LISTEN_ADDRESS_FORMS}`,
        }),
      )
      .min(1)
      .default(["127.0.0.1:9977"])
      .describe(`Where metrics, page and API are served, one or more: ${LISTEN_ADDRESS_FORMS}.`),
    telemetry_path: z
      .string()
      .regex(/^\/[A-Za-z0-9._~\-/]*[A-Za-z0-9._~-]$/, { error: "must be a path like /metrics" })
      .refine((path) => !TAKEN_PATH.test(path), { error: "is taken by another page" })
      .default("/metrics")
      .describe("Path of the metrics."),
    config_file: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe(
        "File with TLS and basic authentication settings, in the format of the Prometheus exporter toolkit.",
      ),
    allow_remote_api: z
      .boolean()
      .default(false)
      .describe(
        "Serve the page and the API, which show addresses and names, without authentication beyond loopback.",
      ),
  })
  .prefault({})
  .describe("The HTTP server.");

export const storageSettings = z
  .strictObject({
    path: z
      .string()
      .min(1)
      .default("state")
      .describe(
        "Folder for baselines, events and messages not yet delivered; systemd's $STATE_DIRECTORY where that is set.",
      ),
  })
  .prefault({})
  .describe("What survives a restart.");

export const logSettings = z
  .strictObject({
    level: z.enum(LOG_LEVELS).default("info").describe("Least level that is logged."),
    format: z
      .enum(LOG_FORMATS)
      .default("json")
      .describe("Form of the log lines on standard error."),
  })
  .prefault({})
  .describe("The log.");

export const stealthSetting = z
  .boolean()
  .default(false)
  .describe(
    "Observe passively: never promiscuous, not one packet sent, no webhooks, metrics on loopback or a unix socket only.",
  );
