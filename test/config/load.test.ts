// SPDX-License-Identifier: AGPL-3.0-or-later
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ConfigInput } from "../../src/config/configured.ts";
import { type LoadedConfig, loadConfig } from "../../src/config/load.ts";
import { NamError } from "../../src/util/errors.ts";
import { root } from "../support/project.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nam-config-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(text: string): string {
  const path = join(folder, "nam.yml");
  writeFileSync(path, text);
  return path;
}

function load(input: Partial<ConfigInput> = {}): LoadedConfig {
  return loadConfig({ env: {}, flags: [], ...input });
}

function failure(input: Partial<ConfigInput>): string {
  try {
    load(input);
  } catch (error) {
    if (error instanceof NamError) return error.message;
    throw error;
  }
  throw new Error("the configuration is valid");
}

describe("defaults", () => {
  it.each(["", "# nothing\n", "---\n", "{}", "web:\n  # all of it commented out\nchannels:\n"])(
    "are what an empty file gives: %j",
    (text) => {
      expect(load({ file: file(text) }).config).toEqual(load().config);
    },
  );

  it("are safe", () => {
    const { config } = load();
    expect(config.web).toEqual({
      listen_address: ["127.0.0.1:9977"],
      telemetry_path: "/metrics",
      config_file: null,
      allow_remote_api: false,
    });
    expect(config.agent.name).toBe(hostname());
    expect(config.storage.path).toBe("state");
    expect(config.capture.promiscuous).toBe(false);
    expect(config.stealth).toBe(false);
  });

  it("take the folder that systemd gives", () => {
    expect(
      load({ env: { STATE_DIRECTORY: "/var/lib/nam:/var/lib/other" } }).config.storage.path,
    ).toBe("/var/lib/nam");
    const input = {
      env: { STATE_DIRECTORY: "/var/lib/nam" },
      file: file("storage: {path: /data}"),
    };
    expect(load(input).config.storage.path).toBe("/data");
  });

  it("are what the example says", () => {
    const example = load({ file: join(root, "config/nam.example.yml") });
    expect(example.config).toEqual(load().config);
  });
});

describe("precedence", () => {
  const inFile = "log: {level: warn}\nweb: {listen_address: ['127.0.0.1:1', '127.0.0.1:2']}\n";
  const env = { NAM_LOG_LEVEL: "error", NAM_WEB_LISTEN_ADDRESS: "127.0.0.1:3,127.0.0.1:4" };
  const flags = [
    { flag: "--log.level", setting: "log.level", value: "debug" },
    { flag: "--web.listen-address", setting: "web.listen_address", value: ["127.0.0.1:5"] },
  ];

  it("is flag, variable, file, default", () => {
    const seen = [
      {},
      { file: file(inFile) },
      { file: file(inFile), env },
      { file: file(inFile), env, flags },
    ]
      .map((input) => load(input).config)
      .map(({ log, web }) => [log.level, ...web.listen_address]);
    expect(seen).toEqual([
      ["info", "127.0.0.1:9977"],
      ["warn", "127.0.0.1:1", "127.0.0.1:2"],
      ["error", "127.0.0.1:3", "127.0.0.1:4"],
      ["debug", "127.0.0.1:5"],
    ]);
  });

  it("takes the file's name from a variable, and the flag before it", () => {
    const path = file("log: {level: warn}");
    expect(load({ env: { NAM_CONFIG_FILE: path } })).toMatchObject({
      file: path,
      config: { log: { level: "warn" } },
    });
    expect(failure({ env: { NAM_CONFIG_FILE: path }, file: join(folder, "absent.yml") })).toContain(
      "absent.yml",
    );
  });

  it("names what set the bad value", () => {
    expect(failure({ file: file("log: {level: info}"), env: { NAM_LOG_LEVEL: "loud" } })).toMatch(
      /^NAM_LOG_LEVEL: log\.level: must be one of/,
    );
    const bad = [{ flag: "--log.level", setting: "log.level", value: "loud" }];
    expect(failure({ env: { NAM_LOG_LEVEL: "info" }, flags: bad })).toMatch(
      /^--log\.level: log\.level: must be/,
    );
    expect(failure({ env: { NAM_NETWORKS_HOME: "10.0.0.0/8,nonsense" } })).toMatch(
      /^NAM_NETWORKS_HOME: networks\.home\[1\]: /,
    );
  });

  it("does not hide a bad section behind a variable", () => {
    expect(failure({ file: file("log: loud"), env: { NAM_LOG_LEVEL: "info" } })).toContain(
      "nam.yml:1: log: must be",
    );
  });
});

describe("variables", () => {
  it("carry text, numbers, truth, lists and structures", () => {
    const { config } = load({
      env: {
        NAM_AGENT_NAME: "007",
        NAM_FLOW_CAPACITY: "4096",
        NAM_STEALTH: "true",
        NAM_CAPTURE_INTERFACES: "eth0, eth1 ,",
        NAM_DETECTORS_PORT_SCAN_ENABLED: "false",
        NAM_CHANNELS: "[{type: log, minimum_severity: critical}]",
        NAM_CAPTURE_FILTER: "not port 22",
      },
    });
    expect(config.agent.name).toBe("007");
    expect(config.flow.capacity).toBe(4096);
    expect(config.stealth).toBe(true);
    expect(config.capture.interfaces).toEqual(["eth0", "eth1"]);
    expect(config.capture.filter).toBe("not port 22");
    expect(config.channels).toMatchObject([
      { type: "log", name: "log", minimum_severity: "critical" },
    ]);
    expect(config.detectors.port_scan).toMatchObject({ enabled: false });
  });

  it("count as not set when empty", () => {
    expect(load({ env: { NAM_LOG_LEVEL: "", NAM_CONFIG_FILE: "" } }).config.log.level).toBe("info");
  });

  it("that are no YAML are named", () => {
    expect(failure({ env: { NAM_FLOW_CAPACITY: "[1" } })).toMatch(
      /^NAM_FLOW_CAPACITY:1: not valid YAML/,
    );
  });

  it("that name nothing are warned of, Kubernetes' own apart", () => {
    const { warnings } = load({
      env: {
        NAM_LOG_LEVL: "info",
        NAM_SERVICE_HOST: "10.0.0.1",
        NAM_PORT: "tcp://10.0.0.1:9977",
        NAM_PORT_9977_TCP_ADDR: "10.0.0.1",
        PATH: "/bin",
      },
    });
    expect(warnings).toEqual(["NAM_LOG_LEVL names no setting; did you mean NAM_LOG_LEVEL?"]);
  });
});

describe("files in the file", () => {
  it("are relative to its folder", () => {
    const path = file(
      "web: {config_file: web.yml}\nchannels: [{type: slack, url_file: secrets/slack}]\n",
    );
    const { config } = load({ file: path });
    expect(config.web.config_file).toBe(join(folder, "web.yml"));
    expect(config.channels[0]).toMatchObject({ url_file: join(folder, "secrets/slack") });
  });

  it("stay as they are from a variable", () => {
    expect(load({ env: { NAM_WEB_CONFIG_FILE: "web.yml" } }).config.web.config_file).toBe(
      "web.yml",
    );
  });
});

describe("secrets", () => {
  const secret = "https://hooks.slack.com/services/T0/B0/verysecrettoken";

  it("never print", () => {
    const { config } = load({ file: file(`channels: [{type: slack, url: "${secret}"}]`) });
    const printed = JSON.stringify(config);
    expect(printed).toContain('"url":"<secret>"');
    expect(printed).not.toContain("verysecrettoken");
  });
});

describe("the hash", () => {
  it("follows what was configured, not how", () => {
    const one = load({ file: file("log: {level: warn}") });
    const same = load({ env: { NAM_LOG_LEVEL: "warn" } });
    const other = load({ env: { NAM_LOG_LEVEL: "error" } });
    expect(one.hash).toMatch(/^[0-9a-f]{16}$/);
    expect(same.hash).toBe(one.hash);
    expect(other.hash).not.toBe(one.hash);
  });
});

describe("bad files", () => {
  const bad = fileURLToPath(new URL("../fixtures/bad-config/", import.meta.url));
  const notes = (text: string, word: string): string[] =>
    [...text.matchAll(new RegExp(`^# ${word}: (.*)$`, "gm"))].map((match) => match[1] ?? "");

  it.each(readdirSync(bad))("%s", (name) => {
    const path = join(bad, name);
    const text = readFileSync(path, "utf8");
    const expected = notes(text, "expect");
    expect(expected).not.toEqual([]);
    const message = failure({ file: path });
    for (const part of expected) expect(message).toContain(part.replace("FILE", path));
    for (const part of notes(text, "refuse")) expect(message).not.toContain(part);
  });
});
