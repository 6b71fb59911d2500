// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { ask } from "../support/http.ts";
import { badConfig, Product, serve, status } from "./support.ts";

describe("health", () => {
  it("is healthy, and ready once the product is", async () => {
    const product = new Product();
    product.status = { ...status, ready: false, reason: "no sensor captures yet" };
    const { url } = await serve(product);
    expect((await ask(`${url}/-/healthy`)).text).toBe("healthy\n");
    const early = await ask(`${url}/-/ready`);
    expect([early.status, early.text]).toEqual([503, "not ready: no sensor captures yet\n"]);
    product.status = status;
    expect((await ask(`${url}/-/ready`)).status).toBe(200);
  });

  it.each(["/-/healthy", "/-/ready"])("%s answers HEAD and nothing else", async (path) => {
    const { url } = await serve(new Product());
    expect((await ask(url + path, { method: "HEAD" })).status).toBe(200);
    expect((await ask(url + path, { method: "DELETE" })).headers.allow).toBe("GET, HEAD");
  });
});

describe("reload", () => {
  it.each(["POST", "PUT"])("runs on %s", async (method) => {
    const product = new Product();
    const { url } = await serve(product);
    const answer = await ask(`${url}/-/reload`, { method });
    expect([answer.status, product.reloads]).toEqual([200, 1]);
  });

  it("does not run on GET", async () => {
    const product = new Product();
    const { url } = await serve(product);
    const answer = await ask(`${url}/-/reload`);
    expect([answer.status, answer.headers.allow, product.reloads]).toEqual([405, "POST, PUT", 0]);
  });

  it("answers 500 with the reason when the file is bad, and works again when it is good", async () => {
    const product = new Product();
    product.reloadError = badConfig("nam.yml:3: unknown key");
    const { url } = await serve(product);
    const failed = await ask(`${url}/-/reload`, { method: "POST" });
    expect(failed.status).toBe(500);
    expect(JSON.parse(failed.text)).toEqual({
      error: { code: "reload_failed", message: "nam.yml:3: unknown key" },
    });
    product.reloadError = null;
    expect((await ask(`${url}/-/reload`, { method: "POST" })).status).toBe(200);
  });

  it("keeps a fault of the program to the log", async () => {
    const product = new Product();
    product.reloadError = new TypeError("https://user:secret@host is no URL");
    const { url } = await serve(product);
    const answer = await ask(`${url}/-/reload`, { method: "POST" });
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain("secret");
    expect(product.log.join("")).toContain("is no URL");
  });

  it("is not for other web sites", async () => {
    const product = new Product();
    const { url } = await serve(product);
    for (const headers of [
      { origin: "https://evil.example" },
      { "sec-fetch-site": "cross-site" },
    ]) {
      expect((await ask(`${url}/-/reload`, { method: "POST", headers })).status).toBe(403);
    }
    expect(product.reloads).toBe(0);
    const own = await ask(`${url}/-/reload`, { method: "POST", headers: { origin: url } });
    expect(own.status).toBe(200);
  });
});

describe("the API", () => {
  it("answers status and configuration", async () => {
    const { url } = await serve(new Product());
    expect(JSON.parse((await ask(`${url}/api/v1/status`)).text)).toEqual(status);
    expect(JSON.parse((await ask(`${url}/config`)).text)).toEqual({
      web: { telemetry_path: "/metrics" },
    });
  });

  it("hands filters to the product, typed", async () => {
    const product = new Product();
    product.page = { events: [{ id: "a" }], next: 17 };
    const { url } = await serve(product);
    const answer = await ask(
      `${url}/api/v1/events?severity=warning&detector=port_scan&entity=10.0.0.1&state=open&since=1700000000.5&until=2023-11-14T22:15:00Z&limit=5&cursor=42`,
    );
    expect(JSON.parse(answer.text)).toEqual({ events: [{ id: "a" }], next: 17 });
    expect(product.queries).toEqual([
      {
        severity: "warning",
        detector: "port_scan",
        entity: "10.0.0.1",
        state: "open",
        since: 1_700_000_000.5,
        until: 1_700_000_100,
        limit: 5,
        cursor: 42,
      },
    ]);
  });

  it("has a default page size", async () => {
    const product = new Product();
    const { url } = await serve(product);
    await ask(`${url}/api/v1/events`);
    expect(product.queries).toEqual([{ limit: 100 }]);
  });

  it.each([
    ["limit=0", "limit: must be at least 1"],
    ["limit=5000", "limit: must be at most 1000"],
    ["limit=many", "limit: must be a number"],
    ["severity=terrible", 'severity: must be one of "info", "warning", "critical"'],
    ["since=yesterday", "since: must be seconds since 1970"],
    ["detectors=x", 'unknown key "detectors"; did you mean "detector"?'],
    ["detector=a&detector=b", "detector: must be a string, not a list"],
  ])("refuses ?%s", async (query, message) => {
    const product = new Product();
    const { url } = await serve(product);
    const answer = await ask(`${url}/api/v1/events?${query}`);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text).error.message).toContain(message);
    expect(product.queries).toEqual([]);
  });

  it("answers errors as JSON without a stack", async () => {
    const { url } = await serve(new Product());
    const missing = await ask(`${url}/nothing/here`);
    expect(missing.status).toBe(404);
    expect(JSON.parse(missing.text).error.code).toBe("not_found");
    const malformed = await ask(`${url}/%E0%A4%A`);
    expect(malformed.status).toBe(404);
    expect(malformed.text).not.toMatch(/\bat .*\.[jt]s/);
  });
});

describe("headers", () => {
  it("are strict on every answer", async () => {
    const { url } = await serve(new Product());
    for (const path of ["/", "/metrics", "/nothing"]) {
      const { headers } = await ask(url + path);
      expect(headers["content-security-policy"]).toContain("default-src 'none'");
      expect(headers["content-security-policy"]).not.toContain("unsafe");
      expect(headers["x-content-type-options"]).toBe("nosniff");
      expect(headers["x-frame-options"]).toBe("DENY");
      expect(headers["access-control-allow-origin"]).toBeUndefined();
      expect(headers["x-powered-by"]).toBeUndefined();
      expect(headers.etag).toBeUndefined();
    }
  });
});
