// SPDX-License-Identifier: AGPL-3.0-or-later
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readProjectFile, root } from "../support/project.ts";
import { type AlertRule, alertRules } from "../support/rules.ts";
import { hasTool } from "../support/tool.ts";

const CONFIG = "alertmanager/alertmanager.yml";
const folder = mkdtempSync(join(tmpdir(), "nam-alertmanager-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Every alert with each severity it can have. */
const alerts = alertRules().flatMap((rule) =>
  severities(rule).map((severity) => ({
    name: rule.alert,
    severity,
    kind: rule.labels.kind ?? "",
  })),
);

describe.skipIf(!hasTool("amtool", "prometheus-alertmanager"))(
  "amtool",
  { concurrent: true },
  () => {
    it("accepts the configuration and its templates", () => {
      const { status, stdout } = spawnSync("amtool", ["check-config", CONFIG], {
        cwd: root,
        encoding: "utf8",
      });
      expect(stdout).toContain("1 templates");
      expect(status).toBe(0);
    });

    it.each(alerts)("routes $name, $severity, where it belongs", ({ name, severity, kind }) => {
      const labels = [`alertname=${name}`, `severity=${severity}`, `kind=${kind}`];
      expect(receiverOf(labels)).toBe(expectedReceiver(severity));
    });

    it.each([
      ["NamNotifierFailing", "team-slack", "nam-discord"],
      ["NamMessagesLost", "discord", "nam-slack"],
      ["NamMessagesLost", "mail", "nam-chat"],
    ])("tells of %s of channel %s through %s", (name, channel, receiver) => {
      const labels = [`alertname=${name}`, "severity=warning", "kind=agent", `channel=${channel}`];
      expect(receiverOf(labels)).toBe(receiver);
    });
  },
);

describe("render.sh", () => {
  const slack = file("slack", "https://hooks.slack.com/services/T0/B0/xyz\n");

  it("puts Discord's webhook in, and the place of Slack's", () => {
    const webhook = "https://discord.com/api/webhooks/1/a-b_c?thread_id=7&wait=true";
    const { status, stdout } = render(slack, file("discord", `${webhook}\n`));
    expect(status).toBe(0);
    expect(stdout).toContain(`webhook_url: ${webhook}\n`);
    expect(stdout).toContain(`api_url_file: ${slack}\n`);
    expect(stdout).not.toContain("xyz");
    const path = file("rendered.yml", stdout);
    expect(spawnSync("amtool", ["check-config", path]).status).toBe(0);
  });

  it.each([
    ["nothing", ""],
    ["two lines", "https://a.example/\nevil: true"],
    ["another scheme", "ftp://a.example/secret"],
    ["YAML", "https://a.example/#secret"],
  ])("refuses %s, and does not repeat it", (_what, text) => {
    const { status, stdout, stderr } = render(slack, file("bad", text));
    expect(status).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).not.toContain("secret");
  });

  it("is executable, and leaves no placeholder to find", () => {
    expect(statSync(join(root, "alertmanager/render.sh")).mode & 0o111).toBe(0o111);
    for (const placeholder of readProjectFile("alertmanager/render.sh").matchAll(/s\|([^|]+)\|/g)) {
      expect(readProjectFile(CONFIG)).toContain(placeholder[1]);
    }
  });
});

function severities({ labels }: AlertRule): string[] {
  return labels.severity === undefined ? ["critical", "warning", "info"] : [labels.severity];
}

function expectedReceiver(severity: string): string {
  if (severity === "none") return "nam-watchdog";
  return severity === "info" ? "nam-silent" : "nam-chat";
}

function receiverOf(labels: readonly string[]): string {
  return execFileSync(
    "amtool",
    ["config", "routes", "test", `--config.file=${CONFIG}`, ...labels],
    { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
  ).trim();
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function render(slack: string, discord: string) {
  return spawnSync(join(root, "alertmanager/render.sh"), [slack, discord], { encoding: "utf8" });
}
