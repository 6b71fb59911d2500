// SPDX-License-Identifier: AGPL-3.0-or-later
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { RateLimit } from "../../src/server/rate-limit.ts";
import { ask, exchange } from "../support/http.ts";
import { Product, serve } from "./support.ts";

describe("slow clients", () => {
  it("are cut off when they say nothing at all", async () => {
    const { url } = await serve(new Product(), {
      limits: { headersTimeoutMs: 100, requestTimeoutMs: 200 },
    });
    expect(await exchange(url, "")).toMatch(/^HTTP\/1\.1 408 /);
  });

  it("are cut off before their headers are complete", async () => {
    const { url } = await serve(new Product(), {
      limits: { headersTimeoutMs: 100, requestTimeoutMs: 200 },
    });
    const answer = await exchange(url, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });

  it("are cut off before their body is complete", async () => {
    const { url } = await serve(new Product(), {
      limits: { headersTimeoutMs: 100, requestTimeoutMs: 200 },
    });
    const answer = await exchange(
      url,
      "POST /-/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc",
    );
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });

  it("are cut off when they do not take the answer", async () => {
    const product = new Product();
    const gauge = product.registry.gauge({
      name: "nam_test_wide",
      help: "A long line.",
      type: "gauge",
      labels: { text: null },
    });
    // More than both sides' socket buffers hold.
    for (let index = 0; index < 1_500; index++)
      gauge.set({ text: `${index}${"x".repeat(20_000)}` }, 1);
    const { url } = await serve(product, { limits: { responseTimeoutMs: 300 } });
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.pause();
    socket.write("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.on("error", () => undefined);
    // Reading starts once the server is sure to have given up.
    setTimeout(() => socket.resume(), 1_000);
    await closed;
    expect(socket.bytesRead).toBeLessThan(30_000_000);
    expect((await ask(`${url}/-/healthy`)).status).toBe(200);
  });
});

describe("too much", () => {
  it("header is refused", async () => {
    const { url } = await serve(new Product());
    const answer = await exchange(url, `GET / HTTP/1.1\r\nX: ${"x".repeat(10_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
  });

  it("body is refused by its length, before it is sent", async () => {
    const product = new Product();
    const { url } = await serve(product);
    const answer = await exchange(
      url,
      "POST /-/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n",
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(product.reloads).toBe(0);
  });

  it("body is refused while it arrives", async () => {
    const product = new Product();
    const { url } = await serve(product, { limits: { maxBodyBytes: 1_000 } });
    const chunk = `200\r\n${"x".repeat(512)}\r\n`;
    const answer = await exchange(
      url,
      `POST /-/reload HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(3)}`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(product.reloads).toBe(0);
  });

  it("a small body is taken and ignored", async () => {
    const product = new Product();
    const { url } = await serve(product);
    expect((await ask(`${url}/-/reload`, { method: "POST", body: "{}" })).status).toBe(200);
    expect(product.reloads).toBe(1);
  });

  it("requests at once are refused with a time to come back", async () => {
    const { url } = await serve(new Product(), {
      limits: { requestBurst: 3, requestsPerSecond: 0.1 },
    });
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask(`${url}/-/healthy`)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 429, 429]);
    expect(answers.find(({ status }) => status === 429)?.headers["retry-after"]).toBe("10");
  });
});

describe("RateLimit", () => {
  it("gives tokens back with time, up to the burst", () => {
    const limit = new RateLimit(2, 2);
    expect([limit.take("a", 0), limit.take("a", 0), limit.take("a", 0)]).toEqual([0, 0, 1]);
    expect([limit.take("a", 500), limit.take("a", 500)]).toEqual([0, 1]);
    expect([1, 2, 3].map(() => limit.take("a", 100_000))).toEqual([0, 0, 1]);
  });

  it("keeps clients apart, in bounded memory", () => {
    const limit = new RateLimit(1, 1);
    for (let client = 0; client < 5_000; client++) expect(limit.take(`client${client}`, 0)).toBe(0);
    expect(limit.size).toBe(1_024);
    expect(limit.take("client4999", 0)).toBe(1);
    expect(limit.take("client0", 0)).toBe(0);
  });
});
