// SPDX-License-Identifier: AGPL-3.0-or-later
import type { NextFunction, Request, RequestHandler, Response } from "express";
import type { Clock } from "../util/clock.ts";
import type { ServerLimits } from "./limits.ts";
import type { RateLimit } from "./rate-limit.ts";
import { sendProblem } from "./respond.ts";

/** Headers for every answer; there is no CORS, no cache and no framing. */
export function securityHeaders(contentSecurityPolicy: string): RequestHandler {
  return (_request, response, next) => {
    response.set({
      "Content-Security-Policy": contentSecurityPolicy,
      "X-Content-Type-Options": "nosniff",
      "X-Frame-Options": "DENY",
      "Referrer-Policy": "no-referrer",
      "Cross-Origin-Resource-Policy": "same-origin",
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cache-Control": "no-store",
    });
    next();
  };
}

/** Ends connections whose client does not take the answer in time. */
export function responseDeadline(timeoutMs: number): RequestHandler {
  return (request, response, next) => {
    const timer = setTimeout(() => request.socket.destroy(), timeoutMs);
    timer.unref();
    response.once("close", () => clearTimeout(timer));
    next();
  };
}

export function rateLimit(limit: RateLimit, clock: Clock): RequestHandler {
  return (request, response, next) => {
    const waitSeconds = limit.take(request.socket.remoteAddress ?? "unix", clock.monotonicMs());
    if (waitSeconds === 0) return next();
    response.set("Retry-After", String(waitSeconds));
    sendProblem(response, 429, "too_many_requests", `ask again in ${waitSeconds} s`);
  };
}

/** Bodies that no path reads are read to their end, within bounds, and thrown away; those of `readers` are left alone. */
export function discardBody(
  { maxBodyBytes }: ServerLimits,
  readers: readonly string[],
): RequestHandler {
  return (request, response, next) => {
    if (request.method === "POST" && readers.includes(request.path)) return next();
    let received = Number(request.headers["content-length"] ?? 0);
    if (received > maxBodyBytes) return refuseBody(request, response, maxBodyBytes);
    if (request.readableEnded || isBodiless(request)) return next();
    received = 0;
    const count = (chunk: Buffer): void => {
      received += chunk.length;
      if (received <= maxBodyBytes) return;
      request.off("data", count).off("end", next);
      refuseBody(request, response, maxBodyBytes);
    };
    request.on("data", count).once("end", next);
  };
}

function isBodiless(request: Request): boolean {
  return (
    request.headers["transfer-encoding"] === undefined &&
    Number(request.headers["content-length"] ?? 0) === 0
  );
}

function refuseBody(request: Request, response: Response, limitBytes: number): void {
  response.set("Connection", "close");
  sendProblem(response, 413, "too_large", `a request body may have ${limitBytes} bytes`);
  response.once("finish", () => request.socket.destroySoon());
}

/** Answers what other methods than the route's own get. */
export function onlyMethods(...methods: readonly string[]): RequestHandler {
  return (_request: Request, response: Response, _next: NextFunction) => {
    response.set("Allow", methods.join(", "));
    sendProblem(response, 405, "method_not_allowed", `use ${methods.join(" or ")} here`);
  };
}
