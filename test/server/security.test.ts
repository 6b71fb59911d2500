// SPDX-License-Identifier: AGPL-3.0-or-later
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { hashSync } from "bcryptjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readWebConfig } from "../../src/server/web-config.ts";
import { Authority, type Certificate } from "../support/certificates.ts";
import { ask, exchange } from "../support/http.ts";
import { hasTool } from "../support/tool.ts";
import { Product, serve } from "./support.ts";

let folder = "";
let file = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nam-security-"));
  file = join(folder, "web.yml");
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(text: string): string {
  writeFileSync(file, text);
  return file;
}

/** A monotonic clock that a test moves on, so that files are looked at again. */
function movingClock() {
  let nowMs = 0;
  return {
    now: () => Date.now(),
    monotonicMs: () => nowMs,
    after: () => () => undefined,
    advance: (milliseconds: number) => {
      nowMs += milliseconds;
    },
  };
}

describe("basic authentication", () => {
  const hash = (password: string): string => hashSync(password, 4);
  const login = (user: string, password: string) => ({ auth: `${user}:${password}` });

  it("guards every path, and opens the API beyond loopback", async () => {
    const webConfigFile = write(`basic_auth_users:\n  alice: ${hash("wonder:land")}\n`);
    const { server } = await serve(new Product(), { listen: [":0"], webConfigFile });
    const url = `http://127.0.0.1:${new URL(server.addresses[0] ?? "").port}`;
    for (const path of ["/metrics", "/-/healthy", "/", "/api/v1/status"]) {
      const refused = await ask(url + path);
      expect([refused.status, refused.headers["www-authenticate"]]).toEqual([
        401,
        'Basic realm="network-anomaly-monitor", charset="UTF-8"',
      ]);
      expect((await ask(url + path, login("alice", "wonder:land"))).status).toBe(200);
    }
  });

  it("refuses wrong passwords, unknown users and nonsense", async () => {
    const webConfigFile = write(`basic_auth_users: {alice: "${hash("right")}"}\n`);
    const { url } = await serve(new Product(), { webConfigFile });
    for (const options of [
      login("alice", "wrong"),
      login("bob", "right"),
      login("__proto__", "right"),
    ]) {
      expect((await ask(`${url}/metrics`, options)).status).toBe(401);
    }
    for (const authorization of ["Basic", "Basic !!!", "Bearer abc", `Basic ${btoa("alice")}`]) {
      expect((await ask(`${url}/metrics`, { headers: { authorization } })).status).toBe(401);
    }
    expect((await ask(`${url}/metrics`, login("alice", "right"))).status).toBe(200);
  });

  it("does not let a crowd of guesses stand in everybody's way", async () => {
    const webConfigFile = write(`basic_auth_users: {alice: "${hash("right")}"}\n`);
    const { url } = await serve(new Product(), { webConfigFile });
    expect((await ask(`${url}/metrics`, login("alice", "right"))).status).toBe(200);
    const guesses = Array.from({ length: 20 }, (_, index) =>
      ask(`${url}/metrics`, login("alice", `guess${index}`)),
    );
    const known = await ask(`${url}/metrics`, login("alice", "right"));
    expect(known.status).toBe(200);
    const statuses = (await Promise.all(guesses)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
  });

  it("follows the file, and keeps the last good one", async () => {
    const clock = movingClock();
    const product = new Product();
    const webConfigFile = write(`basic_auth_users: {alice: "${hash("old")}"}\n`);
    const { url } = await serve(product, { webConfigFile, clock });
    write(`basic_auth_users: {alice: "${hash("new and longer")}", bob: "${hash("b")}"}\n`);
    clock.advance(2_000);
    expect((await ask(`${url}/metrics`, login("alice", "old"))).status).toBe(401);
    expect((await ask(`${url}/metrics`, login("bob", "b"))).status).toBe(200);
    write("basic_auth_user: {}\n");
    clock.advance(2_000);
    expect((await ask(`${url}/metrics`, login("bob", "b"))).status).toBe(200);
    expect((await ask(`${url}/metrics`)).status).toBe(401);
    expect(product.log.join("")).toContain('did you mean \\"basic_auth_users\\"?');
  });
});

describe.skipIf(!hasTool("openssl"))("TLS", () => {
  let authority: Authority;
  let server: Certificate;
  let client: Certificate;
  beforeAll(() => {
    authority = new Authority(folder);
    server = authority.issue("server", ["IP:127.0.0.1", "DNS:localhost"]);
    client = authority.issue("client", ["DNS:prometheus.example", "IP:192.0.2.7"]);
  });

  const tlsConfig = (more = ""): string =>
    write(`tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n${more}`);

  it("serves https, and nothing below the least version", async () => {
    const { url } = await serve(new Product(), {
      webConfigFile: tlsConfig("  min_version: TLS13\n"),
    });
    expect(url).toMatch(/^https:/);
    expect((await ask(`${url}/metrics`, { ca: authority.root.cert })).status).toBe(200);
    await expect(ask(`${url}/metrics`)).rejects.toThrow(/certificate/);
    await expect(
      ask(`${url}/metrics`, { ca: authority.root.cert, maxVersion: "TLSv1.2" }),
    ).rejects.toThrow(/version/);
  });

  it("takes a renewed certificate without a restart", async () => {
    const clock = movingClock();
    const { url } = await serve(new Product(), { webConfigFile: tlsConfig(), clock });
    const { hostname, port } = new URL(url);
    const serial = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connect(
          { host: hostname, port: Number(port), ca: authority.root.cert },
          () => {
            resolve(socket.getPeerCertificate().serialNumber);
            socket.destroy();
          },
        );
        socket.once("error", reject);
      });
    const before = await serial();
    const renewed = authority.issue("renewed", ["IP:127.0.0.1"]);
    copyFileSync(renewed.certFile, server.certFile);
    copyFileSync(renewed.keyFile, server.keyFile);
    clock.advance(2_000);
    expect(await serial()).not.toBe(before);
  });

  const cases: [type: string, none: boolean, foreign: boolean, own: boolean][] = [
    ["NoClientCert", true, true, true],
    ["RequestClientCert", true, true, true],
    ["RequireAnyClientCert", false, true, true],
    ["VerifyClientCertIfGiven", true, false, true],
    ["RequireAndVerifyClientCert", false, false, true],
  ];
  it.each(cases)("client_auth_type %s", async (type, none, foreign, own) => {
    const ca = type.includes("Verify") ? "  client_ca_file: authority.pem\n" : "";
    const webConfigFile = tlsConfig(`${ca}  client_auth_type: ${type}\n`);
    const { url } = await serve(new Product(), { webConfigFile });
    const stranger = new Authority(folder, "stranger").issue("foreigner", [
      "DNS:prometheus.example",
    ]);
    const passes = (certificate: Certificate | null): Promise<boolean> =>
      ask(`${url}/metrics`, {
        ca: authority.root.cert,
        ...(certificate ? { cert: certificate.cert, key: certificate.key } : {}),
      }).then(
        ({ status }) => status === 200,
        () => false,
      );
    expect([await passes(null), await passes(stranger), await passes(client)]).toEqual([
      none,
      foreign,
      own,
    ]);
  });

  it.each([
    ["prometheus.example", true],
    ["192.0.2.7", true],
    ["192.0.2.8", false],
    ["other.example", false],
  ])("client_allowed_sans [%s]", async (name, isAllowed) => {
    const more = `  client_ca_file: authority.pem\n  client_auth_type: RequireAndVerifyClientCert\n  client_allowed_sans: [${name}]\n`;
    const { url } = await serve(new Product(), { webConfigFile: tlsConfig(more) });
    const answer = ask(`${url}/metrics`, {
      ca: authority.root.cert,
      cert: client.cert,
      key: client.key,
    });
    if (isAllowed) expect((await answer).status).toBe(200);
    else await expect(answer).rejects.toThrow();
  });

  it("opens the API beyond loopback to verified client certificates only", async () => {
    const status = async (type: string): Promise<number> => {
      const more = `  client_ca_file: authority.pem\n  client_auth_type: ${type}\n`;
      const { server: running } = await serve(new Product(), {
        listen: [":0"],
        webConfigFile: tlsConfig(more),
      });
      const url = `https://127.0.0.1:${new URL(running.addresses[0] ?? "").port}/config`;
      return (await ask(url, { ca: authority.root.cert, cert: client.cert, key: client.key }))
        .status;
    };
    expect(await status("RequireAndVerifyClientCert")).toBe(200);
    expect(await status("VerifyClientCertIfGiven")).toBe(403);
  });

  it("cuts off who does not shake hands", async () => {
    const limits = { headersTimeoutMs: 100, requestTimeoutMs: 200 };
    const { url } = await serve(new Product(), { webConfigFile: tlsConfig(), limits });
    expect(await exchange(url, "")).toBe("");
  });

  it("does not take a change that the open sockets cannot follow", async () => {
    const clock = movingClock();
    const product = new Product();
    const { url } = await serve(product, { webConfigFile: tlsConfig(), clock });
    tlsConfig("  client_auth_type: RequireAnyClientCert\n");
    clock.advance(2_000);
    expect((await ask(`${url}/metrics`, { ca: authority.root.cert })).status).toBe(200);
    expect(product.log.join("")).toContain("need a restart");
  });

  it("refuses to start with files that do not belong together", async () => {
    const webConfigFile = write(
      "tls_server_config: {cert_file: client.pem, key_file: authority.key}\n",
    );
    await expect(serve(new Product(), { webConfigFile })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
    });
  });
});

describe("the web configuration file", () => {
  it.each([
    [
      "tls_server_config: {}",
      "web.yml:1: tls_server_config.cert_file: give either cert_file or cert",
    ],
    [
      "tls_server_config:\n  cert_file: a\n  keyfile: b\n",
      'web.yml:3: tls_server_config.keyfile: unknown key "keyfile"; did you mean "key_file"?',
    ],
    [
      "tls_server_config: {cert_file: a, key_file: b, client_auth_type: RequireAndVerifyClientCert}",
      "needs client_ca_file",
    ],
    [
      "tls_server_config: {cert_file: a, key_file: b, client_ca: c}",
      "must verify where client_ca_file is given",
    ],
    [
      "tls_server_config: {cert_file: a, key_file: b, client_allowed_sans: [c]}",
      "needs client_auth_type",
    ],
    [
      "basic_auth_users:\n  alice: plain-password",
      "web.yml:2: basic_auth_users: must be a bcrypt hash",
    ],
    ["basic_auth_users: [", "not valid YAML"],
    ["http_server_config: {http2: true}", 'unknown key "http_server_config"'],
  ])("%j is refused", (text, message) => {
    expect(() => readWebConfig(write(text))).toThrow(message);
    expect(() => readWebConfig(write(text))).not.toThrow("plain-password");
  });

  it("may be empty", () => {
    expect(readWebConfig(write(""))).toEqual({ basic_auth_users: {} });
  });

  it("must exist", () => {
    expect(() => readWebConfig(join(folder, "absent.yml"))).toThrow(
      expect.objectContaining({ code: "CONFIG_READ" }),
    );
  });
});
