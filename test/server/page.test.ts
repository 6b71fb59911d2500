// SPDX-License-Identifier: AGPL-3.0-or-later
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ask } from "../support/http.ts";
import { Product, serve, status } from "./support.ts";

const scan = {
  detector: "port_scan",
  severity: "critical",
  first_seen: 1_700_000_100,
  explanation: "10.0.0.9 tried 500 ports of 10.0.0.1.",
  entity: { key: "10.0.0.9" },
};

describe("the landing page", () => {
  it("says what runs, how it is, and where the rest is", async () => {
    const product = new Product();
    product.status = { ...status, active: [scan] };
    const { url } = await serve(product);
    const { headers, text } = await ask(url);
    expect(headers["content-type"]).toBe("text/html; charset=utf-8");
    for (const part of [
      "network-anomaly-monitor",
      "1.2.3",
      "abcdef0",
      "gateway",
      "eth0",
      "1,234",
      "8.0 M",
    ]) {
      expect(text).toContain(part);
    }
    for (const part of ["port_scan", "critical", "tried 500 ports"]) expect(text).toContain(part);
    for (const target of [
      "/metrics",
      "/api/v1/status",
      "/api/v1/events",
      "https://example.org/source",
    ]) {
      expect(text).toContain(`href="${target}"`);
    }
  });

  it("holds no script, and a style that the policy allows by its hash", async () => {
    const { url } = await serve(new Product());
    const { headers, text } = await ask(url);
    expect(text).not.toMatch(/<script| on\w+=|style="/i);
    const style = /<style>([\s\S]*)<\/style>/.exec(text)?.[1] ?? "";
    const hash = createHash("sha256").update(style).digest("base64");
    expect(headers["content-security-policy"]).toContain(`style-src 'sha256-${hash}'`);
    expect(text.length).toBeLessThan(8_000);
  });

  it("escapes everything it is given", async () => {
    const product = new Product();
    const hostile = `<img src=x onerror="alert(1)">'&`;
    const active = {
      ...scan,
      detector: hostile,
      severity: `"><script>`,
      explanation: hostile,
      entity: { key: hostile },
    };
    product.status = {
      ...status,
      agent: hostile,
      ready: false,
      reason: hostile,
      captures: status.captures.map((capture) => ({
        ...capture,
        interface: hostile,
        source: hostile,
      })),
      active: Array.from({ length: 30 }, () => active),
    };
    const { url } = await serve(product);
    const { text } = await ask(url);
    expect(text).not.toMatch(/<img|<script/);
    expect(text).toContain("&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&#39;&amp;");
    expect(text).toContain("and 10 more");
  });

  it("shows the most severe first, and claims no peace while nothing is watched", async () => {
    const product = new Product();
    product.status = {
      ...status,
      active: [{ ...scan, severity: "info", detector: "volume_spike" }, scan],
    };
    const { url } = await serve(product);
    const { text } = await ask(url);
    expect(text.indexOf("port_scan")).toBeLessThan(text.indexOf("volume_spike"));
    product.status = { ...status, ready: false, reason: "starting" };
    expect((await ask(url)).text).toContain("nothing is watched");
  });

  it("says while it learns, and how much it knows", async () => {
    const product = new Product();
    const { url } = await serve(product);
    const unready = { seconds_left: 0, signals: 100, signals_ready: 0 };
    product.status = { ...status, learning: { ...unready, seconds_left: 5400 } };
    const learns = (await ask(url)).text;
    expect(learns).toContain("learning: nothing above info for another 1 h 30 min");
    expect(learns).toContain("No signal has a baseline yet");
    product.status = { ...status, learning: unready };
    const { text } = await ask(url);
    expect(text).not.toContain("learning:");
    expect(text).toContain("No signal has a baseline yet");
    product.status = { ...status, learning: { ...unready, signals_ready: 99 } };
    expect((await ask(url)).text).toContain("99 of 100");
    expect((await ask(url)).text).toContain("Everything is as it usually is");
  });

  it("says whom to ask where no source address is known", async () => {
    const { url } = await serve(new Product(), { sourceUrl: null });
    expect((await ask(url)).text).toContain("source code is to be had from whoever runs it");
  });
});
