// SPDX-License-Identifier: AGPL-3.0-or-later
import { type RequestHandler, Router } from "express";
import { NamError } from "../util/errors.ts";
import type { ServerCallbacks } from "./contract.ts";
import { onlyMethods } from "./guards.ts";
import { sendLine, sendProblem } from "./respond.ts";

export const HEALTHY_PATH = "/-/healthy";
export const READY_PATH = "/-/ready";
export const RELOAD_PATH = "/-/reload";

/** Health, readiness and reload, as Prometheus has them. */
export function lifecycleRoutes(callbacks: ServerCallbacks): Router {
  const router = Router();
  const reload = oneAtATime(() => callbacks.reload());

  router.get(HEALTHY_PATH, (_request, response) => sendLine(response, 200, "healthy"));

  router.get(READY_PATH, (_request, response) => {
    const { ready, reason } = callbacks.ready();
    sendLine(response, ready ? 200 : 503, ready ? "ready" : `not ready: ${reason}`);
  });

  const answerReload: RequestHandler = async (_request, response) => {
    try {
      await reload();
      sendLine(response, 200, "configuration reloaded");
    } catch (error) {
      if (!(error instanceof NamError)) throw error;
      sendProblem(response, 500, "reload_failed", error.message);
    }
  };
  router.route(RELOAD_PATH).post(answerReload).put(answerReload).all(onlyMethods("POST", "PUT"));
  router.all([HEALTHY_PATH, READY_PATH], onlyMethods("GET", "HEAD"));
  return router;
}

function oneAtATime(task: () => Promise<void>): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return () => {
    const next = last.catch(() => undefined).then(task);
    last = next;
    return next;
  };
}
