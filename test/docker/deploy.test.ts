// SPDX-License-Identifier: AGPL-3.0-or-later
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { load, YAML11_SCHEMA } from "js-yaml";
import { describe, expect, it } from "vitest";
import { readProjectFile, root } from "../support/project.ts";
import { hasTool } from "../support/tool.ts";

interface Service {
  readonly image: string;
  readonly network_mode: string;
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly cap_add?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly volumes?: readonly string[];
  readonly profiles?: readonly string[];
}

const UNIT = "deploy/systemd/network-anomaly-monitor.service";

describe("deploy/compose.yml", () => {
  const compose = load(readProjectFile("deploy/compose.yml"), { schema: YAML11_SCHEMA }) as {
    services: Record<string, Service>;
    volumes: Record<string, null>;
  };
  const services = Object.entries(compose.services);

  it.each(services)("%s has a fixed version and no more rights than it needs", (name, service) => {
    const own = name === "monitor" || name === "demo";
    expect(service.image).toMatch(own ? /:local$/ : /^docker\.io\/.+:v?\d+\.\d+\.\d+$/);
    expect(service.read_only).toBe(true);
    expect(service.cap_drop).toEqual(["ALL"]);
    expect(service.cap_add ?? []).toEqual(own ? ["NET_RAW"] : []);
    // It would keep the monitor from the capability that is on its program file.
    expect(service.security_opt ?? []).toEqual(own ? [] : ["no-new-privileges:true"]);
  });

  it.each(services)("%s mounts what exists", (_name, { volumes = [] }) => {
    for (const [source = "", target] of volumes.map((volume) => volume.split(":"))) {
      if (target === undefined) continue;
      if (source.startsWith(".")) expect(existsSync(join(root, "deploy", source))).toBe(true);
      else expect(Object.keys(compose.volumes)).toContain(source);
    }
  });

  it("runs either the monitor or the demo: both serve on the same port", () => {
    const profiles = services.map(([name, { profiles }]) => [name, profiles?.[0]]);
    expect(Object.fromEntries(profiles)).toMatchObject({ monitor: "live", demo: "demo" });
  });

  it("gives Alertmanager the shipped configuration with Discord's webhook from a file", () => {
    const script = compose.services.alertmanager?.entrypoint?.at(-1) ?? "";
    const sed = script.slice(0, script.indexOf(" /etc/alertmanager/alertmanager.yml"));
    const { stdout } = spawnSync("sh", ["-c", `${sed} alertmanager/alertmanager.yml`], {
      cwd: root,
      encoding: "utf8",
    });
    expect(stdout).toContain("webhook_url_file: /etc/alertmanager/secrets/discord-webhook-url\n");
    expect(stdout).toContain("- /etc/alertmanager/templates/nam.tmpl\n");
    expect(stdout).not.toMatch(/webhook_url:/);
  });

  it("keeps webhooks out of the repository", () => {
    expect(readProjectFile("deploy/secrets/.gitignore")).toMatch(/^\*$/m);
  });
});

describe("deploy/systemd", () => {
  it("starts the program with its one capability, and keeps it from everything else", () => {
    const unit = readProjectFile(UNIT);
    for (const line of [
      "DynamicUser=yes",
      "AmbientCapabilities=CAP_NET_RAW",
      "CapabilityBoundingSet=CAP_NET_RAW",
      "NoNewPrivileges=yes",
      "ProtectSystem=strict",
      "SystemCallFilter=@system-service",
      "RestartPreventExitStatus=2 77",
    ]) {
      expect(unit).toContain(`\n${line}\n`);
    }
    expect(unit).toMatch(/^MemoryMax=/m);
  });

  it.skipIf(!hasTool("systemd-analyze", "systemd"))("satisfies systemd's own checks", () => {
    const folder = mkdtempSync(join(tmpdir(), "nam-unit-"));
    const copy = join(folder, "network-anomaly-monitor.service");
    writeFileSync(copy, readProjectFile(UNIT).replace("/usr/bin/node", process.execPath));
    const verify = spawnSync("systemd-analyze", ["verify", copy], { encoding: "utf8" });
    expect(verify.stderr + verify.stdout).toBe("");
    const security = spawnSync(
      "systemd-analyze",
      ["security", "--offline=true", "--threshold=25", copy],
      { encoding: "utf8" },
    );
    expect(security.stderr).toBe("");
    expect(security.status).toBe(0);
    rmSync(folder, { recursive: true });
  });
});

describe("deploy/healthcheck.mjs", () => {
  it.each([
    [200, 0],
    [503, 1],
  ])("answers %d with exit status %d", async (answer, expected) => {
    const server = createServer((_request, response) => {
      response.writeHead(answer).end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    expect(await healthcheck(`http://127.0.0.1:${port}/-/healthy`)).toBe(expected);
    server.close();
    await once(server, "close");
    expect(await healthcheck(`http://127.0.0.1:${port}/-/healthy`)).toBe(1);
  });

  async function healthcheck(url: string): Promise<number> {
    const child = spawn(process.execPath, [join(root, "deploy/healthcheck.mjs"), url]);
    const [code] = (await once(child, "exit")) as [number];
    return code;
  }
});
