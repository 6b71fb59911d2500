// SPDX-License-Identifier: AGPL-3.0-or-later
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { RequestHandler } from "express";
import type { MetricsRegistry } from "../metrics/registry.ts";
import { acceptsGzip, prefersOpenMetrics } from "./negotiate.ts";

const compress = promisify(gzip);

/** One scrape in the format and coding the client prefers. */
export function metricsRoute(registry: MetricsRegistry): RequestHandler {
  return async (request, response) => {
    const { body, contentType } = await registry.text(prefersOpenMetrics(request.headers.accept));
    response.set({ "Content-Type": contentType, Vary: "Accept, Accept-Encoding" });
    if (!acceptsGzip(request.headers["accept-encoding"])) {
      response.end(body);
      return;
    }
    response.set("Content-Encoding", "gzip");
    // Level 1: a scrape goes over a fast network once, and nobody keeps it.
    response.end(await compress(body, { level: 1 }));
  };
}
