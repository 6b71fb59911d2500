// SPDX-License-Identifier: AGPL-3.0-or-later
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { metricCatalogue } from "../../src/catalogue.ts";
import { exitCodeOf, reportError } from "../../src/commands/exit-codes.ts";
import { createProgram, runProgram } from "../../src/commands/program.ts";
import { detectors } from "../../src/detect/all.ts";
import { ERROR_CODES, type ErrorCode } from "../../src/util/error-codes.ts";
import { NamError } from "../../src/util/errors.ts";
import { productBuild } from "../../src/util/version.ts";
import { readProjectFile, root } from "../support/project.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nam-commands-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function nam(args: readonly string[], env: Record<string, string> = {}): Promise<Result> {
  const output = { stdout: "", stderr: "" };
  const collect = (name: keyof typeof output) => ({
    write: (text: string) => {
      output[name] += text;
    },
  });
  const io = { env, stdout: collect("stdout"), stderr: collect("stderr") };
  return { code: await runProgram(args, io), ...output };
}

function file(text: string): string {
  const path = join(folder, "nam.yml");
  writeFileSync(path, text);
  return path;
}

const program = await createProgram({
  io: { env: {}, stdout: { write: () => true }, stderr: { write: () => true } },
  finish: () => undefined,
});
const commands = program.commands.map((command) => command.name());

describe("the command line", () => {
  it("has the commands of the design", () => {
    expect(commands.sort()).toEqual(
      [
        "alerts",
        "check-config",
        "detectors",
        "interfaces",
        "metrics",
        "replay",
        "run",
        "silences",
        "test-alert",
      ].sort(),
    );
  });

  it.each(commands)("%s --help says how, with examples", async (command) => {
    const { code, stdout, stderr } = await nam([command, "--help"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(new RegExp(`^Usage: nam ${command} `));
    expect(stdout).toMatch(new RegExp(`\nExamples:\n  (.*\\| )?nam ${command}`));
  });

  it("prints help and version on standard output", async () => {
    expect(await nam(["--help"])).toMatchObject({
      code: 0,
      stderr: "",
      stdout: expect.stringContaining("77 no permission"),
    });
    const { version } = productBuild();
    expect(await nam(["--version"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(`^network-anomaly-monitor ${version} \\(`),
    });
    expect((await nam(["help", "run"])).stdout).toContain("Usage: nam run");
  });

  it.each([
    [[], "Usage: nam"],
    [["bogus"], "unknown command 'bogus'"],
    [["runn"], "Did you mean run?"],
    [["--bogus"], "unknown option '--bogus'"],
    ...commands.map((command): [string[], string] => [
      [command, "--bogus", "x"],
      "unknown option '--bogus'",
    ]),
    [["run", "--web.listen-adress", ":1"], "Did you mean --web.listen-address?"],
    [["run", "unexpected"], "too many arguments"],
    [["check-config"], "missing required argument 'file'"],
    [["replay"], "missing required argument 'files'"],
    [["replay", "--speed", "fast", "x.pcap"], "It must be a number above 0."],
    [["replay", "--report.top", "-1", "x.pcap"], "It must be a whole number"],
  ])("refuses nam %j with exit code 2", async (args, message) => {
    const { code, stdout, stderr } = await nam(args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(message);
  });
});

describe("nam run --config.check", () => {
  it("accepts what is valid and starts nothing", async () => {
    const args = [
      "run",
      "--config.check",
      "--interface",
      "eth0",
      "--interface",
      "eth1",
      "--stealth",
    ];
    expect(await nam(args)).toEqual({
      code: 0,
      stdout: "The configuration is valid.\n",
      stderr: "",
    });
  });

  it.each([
    [["--log.level", "loud"], {}, "nam: --log.level: log.level: must be one of"],
    [
      ["--web.listen-address", "9977"],
      {},
      "nam: --web.listen-address: web.listen_address[0]: must be host:port",
    ],
    [["--stealth", "--web.listen-address", ":9977"], {}, "stealth mode serves on loopback"],
    [[], { NAM_FLOW_CAPACITY: "lots" }, "nam: NAM_FLOW_CAPACITY: flow.capacity: must be a number"],
    [["--config.file", "/absent.yml"], {}, "nam: cannot read /absent.yml"],
  ])("refuses %j %j with exit code 2", async (args, env, message) => {
    const { code, stderr } = await nam(["run", "--config.check", ...args], env);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe("nam check-config", () => {
  it("accepts the example", async () => {
    const path = join(root, "config/nam.example.yml");
    expect(await nam(["check-config", path])).toEqual({
      code: 0,
      stdout: `${path}: valid\n`,
      stderr: "",
    });
  });

  it("looks at the file alone", async () => {
    expect((await nam(["check-config", file("")], { NAM_LOG_LEVEL: "loud" })).code).toBe(0);
  });

  it.each([
    [
      "flow: {capcity: 1}",
      'nam.yml:1: flow.capcity: unknown key "capcity"; did you mean "capacity"?',
    ],
    ["web: {config_file: absent.yml}", "absent.yml"],
    ["channels: [{type: slack, url_file: absent}]", "[CHANNEL]"],
  ])("refuses %j with exit code 2", async (text, message) => {
    const { code, stdout, stderr } = await nam(["check-config", file(text)]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(message);
  });
});

describe("the catalogues", () => {
  it("nam metrics lists every metric", async () => {
    const { stdout } = await nam(["metrics"]);
    const names = stdout
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => line.split(" ")[0]);
    expect(names).toEqual(metricCatalogue().map(({ name }) => name));
    const told = JSON.parse((await nam(["metrics", "--json"])).stdout);
    expect(told).toEqual(JSON.parse(JSON.stringify(metricCatalogue())));
  });

  it("nam detectors lists every detector with its settings", async () => {
    const { stdout } = await nam(["detectors"]);
    for (const { name } of detectors) expect(stdout).toContain(`\n${name} `);
    const entries = JSON.parse((await nam(["detectors", "--json"])).stdout) as {
      name: string;
      settings: { properties: Record<string, { default?: unknown }> };
    }[];
    expect(entries.map(({ name }) => name)).toEqual(detectors.map(({ name }) => name));
    expect(entries[0]?.settings.properties.enabled?.default).toBe(true);
  });

  it("nam interfaces lists this machine's", async () => {
    const { code, stdout } = await nam(["interfaces"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}NAME +STATE/);
    expect(stdout).toMatch(/^[* ] lo /m);
    const list = JSON.parse((await nam(["interfaces", "--json"])).stdout) as { name: string }[];
    expect(list.map(({ name }) => name)).toContain("lo");
  });
});

describe("nam test-alert", () => {
  it("sends one message and prints the answer", async () => {
    const { code, stdout, stderr } = await nam(["test-alert"]);
    expect([code, stdout]).toEqual([0, "log: delivered: written to the log\n"]);
    expect(stderr).toContain('"test":true');
  });

  it("fails where a channel cannot be reached", async () => {
    const path = file(
      "channels: [{type: slack, url: 'http://127.0.0.1:9/services/T0/B0/secret', allow_http: true, allow_private: true, timeout_seconds: 2}]",
    );
    const { code, stdout } = await nam(["test-alert", "--config.file", path]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^slack: retry: /);
    expect(stdout).not.toContain("secret");
  });

  it("sends nothing over a network in stealth mode", async () => {
    const path = file("channels: [{type: slack, name: team, url_env: ABSENT}, {type: log}]");
    const { code, stdout } = await nam(["test-alert", "--stealth", "--config.file", path]);
    expect([code, stdout]).toEqual([0, "log: delivered: written to the log\n"]);
  });

  it("knows the channels by name", async () => {
    const { code, stderr } = await nam(["test-alert", "--channel", "lgo"]);
    expect(code).toBe(2);
    expect(stderr).toContain('no channel is called "lgo"; did you mean "log"?');
  });
});

describe("errors", () => {
  const report = (error: unknown): string => {
    let text = "";
    const write = (part: string): void => {
      text += part;
    };
    reportError(error, { write });
    return text;
  };

  it.each([
    ["CAPTURE_PERMISSION", 77],
    ["CONFIG_READ", 2],
    ["CONFIG_INVALID", 2],
    ["USAGE", 2],
    ["LISTEN", 1],
    ["INTERNAL", 1],
  ] as const)("%s ends with %i", (code, exitCode) => {
    expect(exitCodeOf(new NamError(code, "x"))).toBe(exitCode);
  });

  it("say what failed, without a stack", () => {
    expect(report(new NamError("LISTEN", "cannot listen"))).toBe("nam: cannot listen [LISTEN]\n");
  });

  it("without permission to capture name the ways to get it, and the demo", () => {
    const text = report(new NamError("CAPTURE_PERMISSION", "no"));
    for (const way of [
      "sudo",
      "setcap cap_net_raw",
      "AmbientCapabilities",
      "--cap-add NET_RAW",
      "npm run demo",
    ]) {
      expect(text).toContain(way);
    }
  });

  it("of the program itself show where", () => {
    expect(report(new TypeError("x is undefined"))).toMatch(
      /fault of the program[\s\S]*TypeError: x is undefined\n +at /,
    );
    expect(exitCodeOf("thrown string")).toBe(1);
  });

  it("are all in docs/errors.md", () => {
    const documented = [...readProjectFile("docs/errors.md").matchAll(/^\| `([A-Z_]+)`/gm)].map(
      (match) => match[1],
    );
    expect(documented).toEqual(Object.keys(ERROR_CODES) as ErrorCode[]);
  });
});

describe("nam replay", () => {
  it("hands its flags on", async () => {
    const capture = join(root, "test/fixtures/pcap/dns.pcap");
    const report = join(folder, "report.json");
    const metrics = join(folder, "metrics.txt");
    const { code, stdout } = await nam([
      "replay",
      "--report",
      report,
      "--metrics",
      metrics,
      capture,
    ]);
    expect(code).toBe(0);
    expect(stdout).not.toBe("");
    expect(JSON.parse(readFileSync(report, "utf8"))).toMatchObject({
      schema: 1,
      files: [{ path: capture }],
    });
    expect(readFileSync(metrics, "utf8")).toContain("nam_capture_packets_total");
  });
});
