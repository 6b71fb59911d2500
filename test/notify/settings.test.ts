// SPDX-License-Identifier: AGPL-3.0-or-later
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { pino } from "pino";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { channelSettings, channels, createChannels } from "../../src/notify/all.ts";
import { messageOf } from "../../src/util/errors.ts";

const SLACK = "https://hooks.slack.com/services/T000/B000/sEcReT";
const DISCORD = "https://discord.com/api/webhooks/42/sEcReT_x-1";

const folder = mkdtempSync(join(tmpdir(), "nam-channels-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

const lines: string[] = [];
const log = pino({ level: "debug" }, { write: (line: string) => void lines.push(line) });

function create(...list: unknown[]) {
  return createChannels(channelSettings.parse(list), { log, stealth: false });
}

function failureOf(...list: unknown[]): string {
  try {
    create(...list);
  } catch (error) {
    return `${messageOf(error)} ${inspect(error, { depth: 9 })}`;
  }
  throw new Error("nothing failed");
}

describe("channelSettings", () => {
  it("is the program's log where nothing is said", () => {
    const settings = channelSettings.parse(undefined);
    expect(settings).toEqual([
      {
        type: "log",
        name: "log",
        minimum_severity: "info",
        send_resolved: true,
        heartbeat_minutes: 0,
      },
    ]);
  });

  it("names a channel after its type, tells warnings and ends by default", () => {
    expect(create({ type: "slack", url: SLACK }, { type: "discord", url: DISCORD })).toMatchObject([
      { name: "slack", minimumSeverity: "warning", sendResolved: true },
      { name: "discord", minimumSeverity: "warning", sendResolved: true },
    ]);
  });

  it.each([
    ["no URL", [{ type: "slack" }], /give one of url, url_file and url_env/],
    ["two URLs", [{ type: "slack", url: SLACK, url_env: "X" }], /give one of/],
    ["a URL of another vendor", [{ type: "slack", url: DISCORD }], /not on a host of Slack/],
    [
      "a URL for Slack's format at Discord",
      [{ type: "discord", url: `${DISCORD}/slack` }],
      /not a webhook of Discord/,
    ],
    ["plain http", [{ type: "slack", url: SLACK.replace("https", "http") }], /allow_http/],
    ["an unknown key", [{ type: "log", colour: 1 }], /colour/],
    ["an unknown type", [{ type: "pigeon" }], /type/],
    ["a name that cannot be a label", [{ type: "log", name: "two words" }], /letters, digits/],
    ["the same name twice", [{ type: "log" }, { type: "log" }], /two channels are called log/],
  ])("refuses %s, and repeats no secret", (_, list, problem) => {
    const failure = failureOf(...list);
    expect(failure).toMatch(problem);
    expect(failure).not.toMatch(/sEcReT/);
  });

  it("describes every setting, for the documents and the schema", () => {
    const schema = z.toJSONSchema(channelSettings, { io: "input", unrepresentable: "any" });
    const forms = (schema.items as { oneOf: { properties: Record<string, object> }[] }).oneOf;
    expect(forms).toHaveLength(channels.length);
    for (const { properties } of forms) {
      const { type: _, ...others } = properties;
      for (const [name, property] of Object.entries(others)) {
        expect(property, name).toHaveProperty("description");
      }
    }
  });
});

describe("secrets", () => {
  it("come from a file", () => {
    const path = join(folder, "slack");
    writeFileSync(path, `${SLACK}\n`, { mode: 0o600 });
    lines.length = 0;
    expect(create({ type: "slack", url_file: path })).toHaveLength(1);
    expect(lines).toEqual([]);
  });

  it("that every user can read are worth a warning", () => {
    const path = join(folder, "open");
    writeFileSync(path, SLACK);
    chmodSync(path, 0o644);
    create({ type: "slack", url_file: path });
    expect(lines.join()).toContain("every user can read this secret");
    expect(lines.join()).not.toContain("sEcReT");
  });

  it("come from the environment", () => {
    vi.stubEnv("MY_WEBHOOK", DISCORD);
    expect(create({ type: "discord", url_env: "MY_WEBHOOK" })).toHaveLength(1);
  });

  it.each([
    ["a file that is not there", { url_file: "/nonexistent/url" }, /cannot be read \(ENOENT\)/],
    ["a variable that is not set", { url_env: "NAM_TEST_UNSET" }, /NAM_TEST_UNSET is not set/],
  ])("from %s are an error that says so", (_, source, problem) => {
    expect(failureOf({ type: "slack", name: "ops", ...source })).toMatch(problem);
  });

  it("from a file or a variable are checked like any other, and not repeated", () => {
    vi.stubEnv("MY_WEBHOOK", "https://evil.example/sEcReT");
    const failure = failureOf({ type: "slack", name: "ops", url_env: "MY_WEBHOOK" });
    expect(failure).toMatch(/channel ops: the webhook URL is not on a host of Slack/);
    expect(failure).not.toContain("sEcReT");
  });
});
