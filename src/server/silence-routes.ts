// SPDX-License-Identifier: AGPL-3.0-or-later
import express, { Router } from "express";
import type { SilenceCallbacks } from "./contract.ts";
import { onlyMethods } from "./guards.ts";
import { sendProblem } from "./respond.ts";

export const SILENCES_PATH = "/api/v1/silences";

/** Lists, adds and removes silences. */
export function silenceRoutes(silences: SilenceCallbacks, maxBodyBytes: number): Router {
  const router = Router();
  const readJson = express.json({ limit: maxBodyBytes, inflate: false });

  router.get(SILENCES_PATH, (_request, response) => {
    response.json(silences.list());
  });

  router.post(SILENCES_PATH, readJson, (request, response) => {
    // A form of another site can post, but not as JSON.
    if (!request.is("application/json")) {
      return sendProblem(response, 400, "bad_request", "send JSON as application/json");
    }
    const result = silences.add(request.body);
    if ("problem" in result) return sendProblem(response, 400, "bad_request", result.problem);
    response.status(201).json(result.silence);
  });

  router.delete(`${SILENCES_PATH}/:id`, (request, response) => {
    if (silences.remove(request.params.id)) response.status(204).end();
    else sendProblem(response, 404, "not_found", "there is no silence of this id");
  });

  router.all(SILENCES_PATH, onlyMethods("GET", "HEAD", "POST"));
  router.all(`${SILENCES_PATH}/:id`, onlyMethods("DELETE"));
  return router;
}
