// SPDX-License-Identifier: AGPL-3.0-or-later
import express, { type ErrorRequestHandler, type Express } from "express";
import type { MetricsRegistry } from "../metrics/registry.ts";
import type { Clock } from "../util/clock.ts";
import { messageOf } from "../util/errors.ts";
import type { Log } from "../util/log.ts";
import { type AccessRules, guardAccess } from "./access.ts";
import { apiRoutes } from "./api-routes.ts";
import { BasicAuth, requireUser } from "./basic-auth.ts";
import type { ServerCallbacks } from "./contract.ts";
import {
  discardBody,
  onlyMethods,
  rateLimit,
  responseDeadline,
  securityHeaders,
} from "./guards.ts";
import { HEALTHY_PATH, lifecycleRoutes, READY_PATH } from "./lifecycle-routes.ts";
import type { ServerLimits } from "./limits.ts";
import { metricsRoute } from "./metrics-route.ts";
import { renderPage } from "./page.ts";
import { CONTENT_SECURITY_POLICY } from "./page-style.ts";
import type { RateLimit } from "./rate-limit.ts";
import { sendProblem } from "./respond.ts";
import { SILENCES_PATH, silenceRoutes } from "./silence-routes.ts";

/** What every listener shares. */
export interface AppOptions {
  readonly telemetryPath: string;
  readonly registry: MetricsRegistry;
  readonly callbacks: ServerCallbacks;
  readonly allowRemoteApi: boolean;
  readonly sourceUrl: string | null;
  /** User names and bcrypt hashes as they are now; none means no authentication. */
  users(): Readonly<Record<string, string>>;
  /** True when nobody gets this far without a password or a verified client certificate. */
  isAuthenticated(): boolean;
  readonly limits: ServerLimits;
  readonly clock: Clock;
  readonly log: Log;
}

/** Makes the application of one listener; `isLocal` says that only this machine can connect to it. */
export function appFactory(
  options: AppOptions,
  requests: RateLimit,
): (isLocal: boolean) => Express {
  const auth = new BasicAuth();
  return (isLocal) => {
    const { callbacks, telemetryPath, limits, clock, log } = options;
    const rules: AccessRules = {
      openPaths: [telemetryPath, HEALTHY_PATH, READY_PATH],
      isLocal,
      isAuthenticated: () => options.isAuthenticated(),
      allowRemoteApi: options.allowRemoteApi,
    };
    const app = express();
    app.disable("x-powered-by").disable("etag").enable("case sensitive routing");
    app.enable("strict routing").set("query parser", "simple");
    app.use(securityHeaders(CONTENT_SECURITY_POLICY), responseDeadline(limits.responseTimeoutMs));
    app.use(rateLimit(requests, clock), discardBody(limits, [SILENCES_PATH]));
    app.use(
      requireUser(auth, () => options.users()),
      guardAccess(rules),
    );
    app.route(telemetryPath).get(metricsRoute(options.registry)).all(onlyMethods("GET", "HEAD"));
    app.use(
      lifecycleRoutes(callbacks),
      apiRoutes(callbacks),
      silenceRoutes(callbacks.silences, limits.maxBodyBytes),
    );
    app
      .route("/")
      .get((_request, response) => {
        const nowSeconds = clock.now() / 1000;
        const { sourceUrl } = options;
        response
          .type("html")
          .send(renderPage(callbacks.status(), { telemetryPath, sourceUrl, nowSeconds }));
      })
      .all(onlyMethods("GET", "HEAD"));
    app.use((_request, response) => {
      sendProblem(response, 404, "not_found", "there is nothing here; / lists what there is");
    });
    app.use(answerError(log));
    return app;
  };
}

/** What went wrong is for the log; the client learns that it did. */
function answerError(log: Log): ErrorRequestHandler {
  return (error, request, response, next) => {
    if (response.headersSent) return next(error);
    const status = (error as { status?: unknown } | null)?.status;
    if (status === 400)
      return sendProblem(response, 400, "bad_request", "the request is malformed");
    if (status === 413) return sendProblem(response, 413, "too_large", "the request is too large");
    log.error({ path: request.path, error: messageOf(error) }, "request failed");
    sendProblem(response, 500, "internal", "the request failed; the log says why");
  };
}
