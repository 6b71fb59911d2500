// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { Product, serve } from "./support.ts";

const PATH = "/api/v1/silences";

function post(url: string, body: string, headers: Record<string, string> = {}) {
  const json = { "Content-Type": "application/json", ...headers };
  return fetch(url + PATH, { method: "POST", headers: json, body });
}

describe("silences over the API", () => {
  it("are added, listed and removed", async () => {
    const product = new Product();
    const { url } = await serve(product);
    const added = await post(url, JSON.stringify({ reason: "test" }));
    expect([added.status, await added.json()]).toEqual([201, { reason: "test" }]);
    const listed = await fetch(url + PATH);
    expect(await listed.json()).toEqual({ silences: [{ reason: "test" }] });
    const remove = (id: string) => fetch(`${url}${PATH}/${id}`, { method: "DELETE" });
    expect((await remove("known")).status).toBe(204);
    expect((await remove("unknown")).status).toBe(404);
  });

  it.each([
    ["what the product refuses", "{}", {}, 400],
    ["no JSON", "{", {}, 400],
    ["a form", "reason=x", { "Content-Type": "application/x-www-form-urlencoded" }, 400],
    ["a body without bounds", `"${"x".repeat(100_000)}"`, {}, 413],
    ["another web site", "{}", { Origin: "https://evil.example" }, 403],
  ])("refuse %s", async (_, body, headers, status) => {
    const product = new Product();
    const { url } = await serve(product);
    const answer = await post(url, body, headers);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ error: { message: expect.any(String) } });
    expect(product.silences).toEqual([]);
  });

  it("say what else there is not", async () => {
    const { url } = await serve(new Product());
    const put = await fetch(url + PATH, { method: "PUT" });
    expect([put.status, put.headers.get("allow")]).toEqual([405, "GET, HEAD, POST"]);
    const get = await fetch(`${url}${PATH}/known`);
    expect([get.status, get.headers.get("allow")]).toEqual([405, "DELETE"]);
  });
});
