// SPDX-License-Identifier: AGPL-3.0-or-later
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask } from "../support/http.ts";
import { Product, serve } from "./support.ts";

const OPEN = ["/metrics", "/-/healthy", "/-/ready"];
const CLOSED = ["/", "/api/v1/status", "/api/v1/events", "/config", "/nothing"];

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nam-server-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The addresses, where this machine has IPv6 at all. */
function v6(...addresses: readonly string[]): readonly string[] {
  const isThere = networkInterfaces().lo?.some(({ address }) => address === "::1") ?? false;
  if (!isThere) console.warn(`skipped ${addresses.join(", ")}: this machine has no ::1`);
  return isThere ? addresses : [];
}

async function statuses(url: string, paths: readonly string[]): Promise<number[]> {
  return Promise.all(paths.map(async (path) => (await ask(url + path)).status));
}

describe("bound beyond loopback without authentication", () => {
  it.each(["0.0.0.0:0", ":0", ...v6("[::]:0")])(
    "%s serves metrics and health only",
    async (address) => {
      const { server } = await serve(new Product(), { listen: [address] });
      const url = `http://127.0.0.1:${new URL(server.addresses[0] ?? "").port}`;
      expect(await statuses(url, OPEN)).toEqual([200, 200, 200]);
      expect(await statuses(url, CLOSED)).toEqual([403, 403, 403, 403, 403]);
      expect((await ask(`${url}/-/reload`, { method: "POST" })).status).toBe(403);
      expect(JSON.parse((await ask(`${url}/`)).text).error.message).toContain("allow_remote_api");
    },
  );

  it("serves everything where the configuration says so", async () => {
    const { server } = await serve(new Product(), { listen: [":0"], allowRemoteApi: true });
    const url = `http://127.0.0.1:${new URL(server.addresses[0] ?? "").port}`;
    expect(await statuses(url, CLOSED)).toEqual([200, 200, 200, 200, 404]);
  });

  it("closes nothing on a loopback address of the same server", async () => {
    const { server } = await serve(new Product(), { listen: ["127.0.0.1:0", "0.0.0.0:0"] });
    const ports = server.addresses.map((address) => new URL(address).port);
    expect(await statuses(`http://127.0.0.1:${ports[0]}`, ["/"])).toEqual([200]);
    expect(await statuses(`http://127.0.0.1:${ports[1]}`, ["/"])).toEqual([403]);
  });
});

describe("bound to loopback", () => {
  it.each(["127.0.0.2:0", "localhost:0", ...v6("[::1]:0")])(
    "%s serves everything",
    async (address) => {
      const { url } = await serve(new Product(), { listen: [address] });
      expect(await statuses(url, [...OPEN, "/", "/config"])).toEqual([200, 200, 200, 200, 200]);
    },
  );

  it("does not answer to a name that a web site gave it", async () => {
    const { url } = await serve(new Product());
    const named = (path: string, host: string) => ask(url + path, { headers: { host } });
    expect((await named("/api/v1/status", "evil.example:9977")).status).toBe(403);
    expect((await named("/api/v1/status", "localhost:9977")).status).toBe(200);
    expect((await named("/api/v1/status", "[::1]:9977")).status).toBe(200);
    expect((await named("/metrics", "gateway.example:9977")).status).toBe(200);
  });
});

describe("a unix socket", () => {
  const options = (socketPath: string) => ({ socketPath });

  it("serves everything to those who may open it", async () => {
    const path = join(folder, "a.sock");
    const { server } = await serve(new Product(), { listen: [`unix:${path}`] });
    expect(server.addresses).toEqual([`unix:${path}`]);
    expect((await ask("http://agent/config", options(path))).status).toBe(200);
    expect(statSync(path).mode & 0o777).toBe(0o660);
  });

  it("replaces what a dead process left", async () => {
    const path = join(folder, "dead.sock");
    const killed = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
    spawnSync(process.execPath, ["-e", killed]);
    expect(statSync(path).isSocket()).toBe(true);
    await serve(new Product(), { listen: [`unix:${path}`] });
    expect((await ask("http://agent/-/healthy", options(path))).status).toBe(200);
  });

  it("takes nothing from the living, and no other file", async () => {
    const socket = join(folder, "living.sock");
    const file = join(folder, "file");
    writeFileSync(file, "precious");
    const living = createServer();
    await new Promise<void>((resolve) => living.listen(socket, resolve));
    for (const path of [socket, file]) {
      await expect(serve(new Product(), { listen: [`unix:${path}`] })).rejects.toMatchObject({
        code: "LISTEN",
      });
    }
    expect(readFileSync(file, "utf8")).toBe("precious");
    await new Promise((resolve) => living.close(resolve));
  });
});

describe("addresses", () => {
  it("are all served, or none", async () => {
    const { server } = await serve(new Product(), { listen: ["127.0.0.1:0", "127.0.0.3:0"] });
    expect(server.addresses).toHaveLength(2);
    const taken = new URL(server.addresses[1] ?? "").host;
    const free = createServer();
    await new Promise<void>((resolve) => free.listen(0, "127.0.0.1", resolve));
    const { port } = free.address() as { port: number };
    await new Promise((resolve) => free.close(resolve));
    await expect(serve(new Product(), { listen: [`127.0.0.1:${port}`, taken] })).rejects.toThrow(
      `cannot listen on ${taken}: it is in use; stop the program that has it, or choose another`,
    );
    await expect(ask(`http://127.0.0.1:${port}/metrics`)).rejects.toMatchObject({
      code: "ECONNREFUSED",
    });
  });

  it.each([
    ["198.51.100.1:0", "LISTEN", "no such address"],
    ["9977", "USAGE", "no listen address"],
    ["127.0.0.1:70000", "USAGE", "no listen address"],
    ["unix:relative", "USAGE", "no listen address"],
    ["unix:/nowhere/at/all.sock", "LISTEN", "cannot listen on unix:/nowhere"],
  ])("%s is refused", async (address, code, message) => {
    const failure = serve(new Product(), { listen: [address] });
    await expect(failure).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });
});
