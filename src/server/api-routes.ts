// SPDX-License-Identifier: AGPL-3.0-or-later
import { Router } from "express";
import { validate } from "../util/validate.ts";
import { z } from "../util/zod.ts";
import type { EventQuery, ServerCallbacks } from "./contract.ts";
import { onlyMethods } from "./guards.ts";
import { sendProblem } from "./respond.ts";

const DEFAULT_PAGE = 100;
const LARGEST_PAGE = 1_000;

const name = z.string().min(1).max(256);

/** UTC seconds, or a date and time as in RFC 3339. */
const time = z.string().transform((text, context) => {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Date.parse(text) / 1000;
  if (Number.isFinite(seconds)) return seconds;
  context.addIssue({
    code: "custom",
    message: "must be seconds since 1970 or like 2026-01-31T12:00:00Z",
  });
  return z.NEVER;
});

const eventQuery = z.strictObject({
  severity: z.enum(["info", "warning", "critical"]).exactOptional(),
  detector: name.exactOptional(),
  entity: name.exactOptional(),
  state: z.enum(["open", "update", "resolved"]).exactOptional(),
  since: time.exactOptional(),
  until: time.exactOptional(),
  limit: z.coerce.number().int().min(1).max(LARGEST_PAGE).default(DEFAULT_PAGE),
  cursor: z.coerce.number().int().min(0).exactOptional(),
});

/** The JSON API. */
export function apiRoutes(callbacks: ServerCallbacks): Router {
  const router = Router();

  router.get("/api/v1/status", (_request, response) => {
    response.json(callbacks.status());
  });

  router.get("/api/v1/events", (request, response) => {
    const result = validate<EventQuery>(eventQuery, request.query);
    if ("value" in result) {
      response.json(callbacks.events(result.value));
      return;
    }
    const problems = result.problems.map(({ path, message }) => `${path.join(".")}: ${message}`);
    sendProblem(response, 400, "bad_request", problems.join("; "));
  });

  router.get("/api/v1/alerts", (_request, response) => {
    response.json(callbacks.alerts());
  });

  router.get("/config", (_request, response) => {
    response.json(callbacks.config());
  });

  router.all(
    ["/api/v1/status", "/api/v1/events", "/api/v1/alerts", "/config"],
    onlyMethods("GET", "HEAD"),
  );
  return router;
}
