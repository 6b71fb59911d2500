// SPDX-License-Identifier: AGPL-3.0-or-later
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { parseOpenMetrics, parseText } from "../support/exposition.ts";
import { ask } from "../support/http.ts";
import { Product, serve } from "./support.ts";

const TEXT = "text/plain; version=0.0.4; charset=utf-8";
const OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8";

describe("GET /metrics", () => {
  it.each([
    ["no Accept", undefined, TEXT],
    ["anything", "*/*", TEXT],
    ["text", "text/plain", TEXT],
    ["something else", "image/png", TEXT],
    ["OpenMetrics", "application/openmetrics-text", OPENMETRICS],
    ["OpenMetrics 1.0", 'application/openmetrics-text; version="1.0.0"', OPENMETRICS],
    ["an older OpenMetrics only", "application/openmetrics-text;version=0.0.1", TEXT],
    ["OpenMetrics refused", "application/openmetrics-text;q=0, text/plain;q=0.1", TEXT],
    ["text rather", "application/openmetrics-text;q=0.4,text/plain;q=0.5", TEXT],
    [
      "Prometheus 2",
      "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
      OPENMETRICS,
    ],
    [
      "Prometheus 3",
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
      OPENMETRICS,
    ],
    ["a broken header", ";;q=x,,/", TEXT],
  ])("answers %s", async (_, accept, contentType) => {
    const { url } = await serve(new Product());
    const answer = await ask(`${url}/metrics`, { headers: accept === undefined ? {} : { accept } });
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toBe(contentType);
    expect(answer.headers["content-encoding"]).toBeUndefined();
    const parse = contentType === TEXT ? parseText : parseOpenMetrics;
    expect(parse(answer.text).has("nam_series")).toBe(true);
  });

  it.each([
    ["gzip", true],
    ["deflate, gzip;q=0.5", true],
    ["*", true],
    ["gzip;q=0, *", false],
    ["identity", false],
    ["br", false],
  ])("codes for Accept-Encoding %s", async (coding, isGzip) => {
    const { url } = await serve(new Product());
    const answer = await ask(`${url}/metrics`, { headers: { "accept-encoding": coding } });
    expect(answer.headers["content-encoding"]).toBe(isGzip ? "gzip" : undefined);
    expect(answer.headers.vary).toBe("Accept, Accept-Encoding");
    const text = isGzip ? gunzipSync(answer.body).toString("utf8") : answer.text;
    expect(parseText(text).has("nam_series")).toBe(true);
  });

  it("answers HEAD without a body and refuses other methods", async () => {
    const { url } = await serve(new Product());
    const head = await ask(`${url}/metrics`, { method: "HEAD" });
    expect([head.status, head.headers["content-type"], head.text]).toEqual([200, TEXT, ""]);
    const post = await ask(`${url}/metrics`, { method: "POST" });
    expect([post.status, post.headers.allow]).toEqual([405, "GET, HEAD"]);
  });

  it("can live on another path", async () => {
    const { url } = await serve(new Product(), { telemetryPath: "/probe/metrics" });
    expect((await ask(`${url}/probe/metrics`)).status).toBe(200);
    expect((await ask(`${url}/metrics`)).status).toBe(404);
  });

  it("says nothing of what went wrong inside", async () => {
    const product = new Product();
    product.registry.onCollect(() => {
      throw new Error("secret detail");
    });
    const { url } = await serve(product);
    const answer = await ask(`${url}/metrics`);
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain("secret detail");
    expect(answer.text).not.toMatch(/\bat .*\.[jt]s/);
    expect(product.log.join("")).toContain("secret detail");
  });
});
