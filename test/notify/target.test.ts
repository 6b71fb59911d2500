// SPDX-License-Identifier: AGPL-3.0-or-later
import { execFile, spawnSync } from "node:child_process";
import type dns from "node:dns";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { postJson } from "../../src/notify/http.ts";
import {
  guardedLookup,
  isPublicAddress,
  REFUSED_ADDRESS,
  type Target,
  type TargetPolicy,
  urlProblem,
  type Vendor,
} from "../../src/notify/target.ts";
import { Secret } from "../../src/util/secret.ts";
import { root } from "../support/project.ts";
import { hasTool } from "../support/tool.ts";
import { WebhookStandIn } from "../support/webhook-stand-in.ts";

const STRICT: TargetPolicy = { allowHttp: false, allowPrivate: false };
const OPEN: TargetPolicy = { allowHttp: true, allowPrivate: true };
const never = new AbortController().signal;
const VENDOR: Vendor = {
  label: "Chat",
  hosts: ["hooks.chat.example"],
  path: /^\/services\/\w+$/,
  example: "https://hooks.chat.example/services/…",
};

function targetOf(url: string, policy: TargetPolicy): Target {
  return { url: new Secret(url), policy, label: "the receiver", timeoutMs: 3_000 };
}

describe("addresses", () => {
  it.each([
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "168.63.129.16",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "fe80::1",
    "fd00:ec2::254",
    "fc00::1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "not an address",
  ])("%s is not public", (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each([
    "3.120.10.1",
    "162.159.128.233",
    "2606:4700::1",
    "::ffff:162.159.128.233",
    "64:ff9b::a29f:80e9",
  ])("%s is public", (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });
});

describe("urlProblem", () => {
  const good = "https://hooks.chat.example/services/TOKEN";
  it("finds nothing wrong with a webhook of the vendor", () => {
    expect(urlProblem(good, VENDOR, STRICT)).toBeNull();
    expect(urlProblem("http://127.0.0.1:9/anything/TOKEN", VENDOR, OPEN)).toBeNull();
  });

  it.each([
    ["TOKEN", STRICT, /not a URL/],
    ["", STRICT, /not a URL/],
    ["ftp://hooks.chat.example/services/TOKEN", OPEN, /https:/],
    ["file:///TOKEN", OPEN, /https:/],
    ["http://hooks.chat.example/services/TOKEN", STRICT, /allow_http/],
    ["https://user:TOKEN@hooks.chat.example/services/TOKEN", OPEN, /user name/],
    ["https://hooks.chat.example/other/TOKEN", OPEN, /not a webhook of Chat/],
    ["https://hooks.chat.example.evil.example/services/TOKEN", STRICT, /not on a host of Chat/],
    ["https://127.0.0.1/services/TOKEN", STRICT, /allow_private/],
    ["https://0x7f000001/services/TOKEN", STRICT, /allow_private/],
    ["https://[::1]/services/TOKEN", STRICT, /allow_private/],
    ["https://169.254.169.254/services/TOKEN", STRICT, /allow_private/],
  ])("explains %s without repeating it", (url, policy, problem) => {
    const text = urlProblem(url, VENDOR, policy);
    expect(text).toMatch(problem);
    expect(text).not.toContain("TOKEN");
  });
});

describe("guardedLookup", () => {
  /** Answers as a resolver would, a different list each time. */
  function resolver(...answers: string[][]): typeof dns.lookup {
    const lookup = (
      _host: string,
      _options: object,
      done: (error: null, addresses: dns.LookupAddress[]) => void,
    ): void => {
      const addresses = answers.shift() ?? [];
      done(
        null,
        addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
      );
    };
    return lookup as never;
  }

  function resolve(policy: TargetPolicy, lookup: typeof dns.lookup, all = true): Promise<unknown> {
    return new Promise((done, fail) => {
      guardedLookup(policy, lookup)("rebind.example", { all }, (error, address) =>
        error ? fail(error) : done(address),
      );
    });
  }

  it("gives only what is public, and checks every time anew", async () => {
    const lookup = resolver(["162.159.128.233", "10.0.0.1"], ["127.0.0.1"]);
    expect(await resolve(STRICT, lookup)).toEqual([{ address: "162.159.128.233", family: 4 }]);
    await expect(resolve(STRICT, lookup)).rejects.toMatchObject({ code: REFUSED_ADDRESS });
  });

  it("gives a single address where one is asked for", async () => {
    expect(await resolve(STRICT, resolver(["162.159.128.233"]), false)).toBe("162.159.128.233");
  });

  it("gives private addresses where that is allowed", async () => {
    expect(await resolve(OPEN, resolver(["127.0.0.1"]), false)).toBe("127.0.0.1");
  });

  it("holds at the connection itself: a name that leads to this machine is not reached", async () => {
    const standIn = await WebhookStandIn.start(0, "localhost");
    const url = standIn.url("slack", "TOKEN", "localhost");
    const refused = await postJson(
      targetOf(url, { allowHttp: true, allowPrivate: false }),
      {},
      never,
    );
    expect(refused).toMatchObject({
      kind: "failure",
      detail: expect.stringContaining("not public"),
    });
    expect(standIn.received).toEqual([]);
    expect(await postJson(targetOf(url, OPEN), {}, never)).toMatchObject({ kind: "answer" });
    expect(standIn.received).toHaveLength(1);
    await standIn.close();
  });
});

describe("an answer without end", () => {
  it("is read for its first 64 KB only", async () => {
    const standIn = await WebhookStandIn.start();
    standIn.script({ kind: "huge-body", status: 200, sizeBytes: 2 ** 50 });
    const target = { ...targetOf(standIn.url("slack", "TOKEN"), OPEN), timeoutMs: 10_000 };
    const startMs = performance.now();
    const result = await postJson(target, {}, never);
    expect(performance.now() - startMs).toBeLessThan(5_000);
    expect(result).toMatchObject({ kind: "answer", body: "x".repeat(65_536) });
    await standIn.close();
  });
});

describe("a server that accepts and then says nothing of TLS", () => {
  it("is given up on in time", async () => {
    const standIn = await WebhookStandIn.start();
    const { createServer: createTcp } = await import("node:net");
    const mute = createTcp().listen(0, "127.0.0.1");
    await once(mute, "listening");
    const { port } = mute.address() as AddressInfo;
    const target = {
      ...targetOf(`https://127.0.0.1:${port}/services/TOKEN`, OPEN),
      timeoutMs: 200,
    };
    expect(await postJson(target, {}, never)).toMatchObject({ kind: "failure", reason: "timeout" });
    mute.close();
    await standIn.close();
  });
});

describe.runIf(hasTool("openssl"))("TLS", () => {
  const folder = mkdtempSync(join(tmpdir(), "nam-notify-"));
  const key = join(folder, "key.pem");
  const certificate = join(folder, "cert.pem");
  const server = createServer();
  let url = "";

  beforeAll(async () => {
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    const made = spawnSync("openssl", [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...["-keyout", key, "-out", certificate, "-days", "2", ...subject],
    ]);
    expect(made.status, String(made.stderr)).toBe(0);
    server.setSecureContext({ key: readFileSync(key), cert: readFileSync(certificate) });
    server.on("request", (_request, response) => response.end("ok"));
    server.listen(0, "localhost");
    await once(server, "listening");
    url = `https://localhost:${(server.address() as AddressInfo).port}/services/TOKEN`;
  });
  afterAll(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  it("refuses a certificate that nobody vouches for", async () => {
    const result = await postJson(targetOf(url, OPEN), {}, never);
    expect(result).toMatchObject({
      kind: "failure",
      reason: "network",
      detail: expect.stringMatching(/CERT/),
    });
  });

  it("accepts one that the machine trusts", async () => {
    const script = `
      const { postJson } = await import("./src/notify/http.ts");
      const { Secret } = await import("./src/util/secret.ts");
      const policy = { allowHttp: false, allowPrivate: true };
      const target = { url: new Secret(process.env.TARGET), policy, label: "x", timeoutMs: 5000 };
      const result = await postJson(target, {}, new AbortController().signal);
      console.log(result.status ?? result.detail);`;
    const args = ["--import", "tsx", "--input-type=module", "-e", script];
    const env = { ...process.env, TARGET: url, NODE_EXTRA_CA_CERTS: certificate };
    const run = await promisify(execFile)(process.execPath, args, { cwd: root, env });
    expect(run.stdout.trim(), run.stderr).toBe("200");
  });
});
