// SPDX-License-Identifier: AGPL-3.0-or-later
// The real Alertmanager with the shipped configuration and templates; only its waits are shortened and its webhooks
// lead to a local stand-in, which checks every message against the vendors' rules.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { root } from "../support/project.ts";
import { hasTool } from "../support/tool.ts";
import { type Received, WebhookStandIn } from "../support/webhook-stand-in.ts";

interface PostedAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt?: string;
}

/** What Slack and Discord show of one message. */
interface Shown {
  readonly title: string;
  readonly text: string;
}

describe.skipIf(!hasTool("prometheus-alertmanager"))("messages of Alertmanager", () => {
  const folder = mkdtempSync(join(tmpdir(), "nam-alertmanager-"));
  let standIn: WebhookStandIn;
  let alertmanager: ChildProcess;
  let url: string;

  beforeAll(async () => {
    standIn = await WebhookStandIn.start();
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    alertmanager = spawn(
      "prometheus-alertmanager",
      [
        `--config.file=${configure(folder, standIn)}`,
        `--storage.path=${folder}`,
        `--web.listen-address=127.0.0.1:${port}`,
        "--cluster.listen-address=",
        "--log.level=error",
      ],
      { stdio: ["ignore", "ignore", "inherit"] },
    );
    await ready(url);
  });

  afterAll(async () => {
    const ended = once(alertmanager, "exit");
    alertmanager.kill();
    await ended;
    await standIn.close();
    rmSync(folder, { recursive: true, force: true });
  });

  afterEach(() => {
    expect(standIn.received.flatMap(({ violations }) => violations)).toEqual([]);
    standIn.received.length = 0;
  });

  it("say what, where, since when and what to read, and later that it is over", async () => {
    const flood = alert({
      alertname: "NamSynFlood",
      severity: "critical",
      kind: "anomaly",
      detector: "syn_flood",
      instance: "192.0.2.7:9977",
    });
    await post(flood);
    await standIn.arrival(2);
    const { slack, discord } = shown(standIn.received);
    for (const { title, text } of [slack, discord]) {
      expect(title).toBe("CRITICAL NamSynFlood on 192.0.2.7:9977");
      expect(text).toContain("Summary of NamSynFlood.");
      expect(text).toContain("What NamSynFlood saw.");
      expect(text).toContain("since 2 Jan 10:20:30 UTC, runbook docs/runbooks/NamSynFlood.md");
      expect(text).not.toMatch(/no value|\{\{|\n\n/);
    }
    expect(attachment(standIn.received)).toMatchObject({
      color: "#d32f2f",
      title_link: "http://127.0.0.1:3000/d/nam-overview?var-instance=x",
    });

    await post({ ...flood, endsAt: new Date().toISOString() });
    await standIn.arrival(4);
    const over = shown(standIn.received.slice(2));
    for (const { title, text } of [over.slack, over.discord]) {
      expect(title).toBe("RESOLVED NamSynFlood on 192.0.2.7:9977");
      expect(text).toMatch(/over after \d+h\d+m\d+s: 192\.0\.2\.7:9977 syn_flood \(critical\)/);
    }
  });

  it("gather what many agents have in common, and stay short", async () => {
    const instances = Array.from({ length: 8 }, (_, at) => `192.0.2.${at + 10}:9977`);
    // What began longer ago than the group waits is told without waiting for the others.
    const startsAt = new Date().toISOString();
    await post(
      ...instances.map((instance) => ({
        ...alert({ alertname: "NamPacketLag", severity: "warning", kind: "agent", instance }),
        startsAt,
      })),
    );
    await standIn.arrival(2);
    const { slack, discord } = shown(standIn.received);
    for (const { title, text } of [slack, discord]) {
      expect(title).toBe("WARNING NamPacketLag, 8 alerts");
      expect(text.match(/What NamPacketLag saw/g)).toHaveLength(5);
      expect(text).toContain("… and more: 8 in all");
    }
  });

  it("leave no mention and no markup of others alive in Slack", async () => {
    const named = alert({ alertname: "NamFramesMalformed", severity: "warning", kind: "agent" });
    const description = "<!channel> & <https://evil.example|click> saw it";
    await post({ ...named, annotations: { ...named.annotations, description } });
    await standIn.arrival(2);
    expect(shown(standIn.received).slack.text).toContain(
      "&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt; saw it",
    );
  });

  it("about a broken channel go another way", async () => {
    await post(
      alert({
        alertname: "NamNotifierFailing",
        severity: "warning",
        kind: "agent",
        channel: "slack",
      }),
      alert({ alertname: "NamCollectorFailing", severity: "warning", kind: "agent" }),
    );
    await standIn.arrival(3);
    const titles = standIn.received.map((message) => `${message.vendor} ${title(message)}`);
    expect(titles.sort()).toEqual([
      "discord WARNING NamCollectorFailing on 192.0.2.1:9977",
      "discord WARNING NamNotifierFailing on 192.0.2.1:9977",
      "slack WARNING NamCollectorFailing on 192.0.2.1:9977",
    ]);
  });

  it.each([
    ["NamAgentDown", "agent", "NamPortScan", "anomaly"],
    ["NamCaptureStalled", "agent", "NamAnomaly", "anomaly"],
    ["NamFleetWideAnomaly", "fleet", "NamHostSweep", "anomaly"],
  ])("about %s silence what follows from it", async (cause, causeKind, effect, effectKind) => {
    const shared = { detector: "host_sweep", instance: `${cause}:9977` };
    await post(alert({ alertname: cause, severity: "critical", kind: causeKind, ...shared }));
    await standIn.arrival(2);
    await post(alert({ alertname: effect, severity: "warning", kind: effectKind, ...shared }));
    expect(await inhibited(effect, shared.instance)).toBe(true);
  });

  it("about an attack come through while packets are lost: floods lose packets", async () => {
    const instance = "192.0.2.99:9977";
    await post(
      alert({ alertname: "NamPacketDrops", severity: "critical", kind: "agent", instance }),
    );
    await post(
      alert({ alertname: "NamArpSpoof", severity: "critical", kind: "anomaly", instance }),
    );
    expect(await inhibited("NamArpSpoof", instance)).toBe(false);
    await standIn.arrival(4);
  });

  async function post(...alerts: readonly PostedAlert[]): Promise<void> {
    const response = await fetch(`${url}/api/v2/alerts`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(alerts),
    });
    expect(response.status).toBe(200);
  }

  async function inhibited(alertname: string, instance: string): Promise<boolean> {
    const response = await fetch(`${url}/api/v2/alerts?filter=instance="${instance}"`);
    const alerts = (await response.json()) as {
      labels: Record<string, string>;
      status: { inhibitedBy: string[] };
    }[];
    const found = alerts.find(({ labels }) => labels.alertname === alertname);
    return (found?.status.inhibitedBy.length ?? 0) > 0;
  }
});

function alert(labels: Readonly<Record<string, string>>): PostedAlert {
  const name = labels.alertname ?? "";
  return {
    labels: { job: "nam", instance: "192.0.2.1:9977", ...labels },
    annotations: {
      summary: `Summary of ${name}.`,
      description: `What ${name} saw.`,
      runbook_url: `docs/runbooks/${name}.md`,
      dashboard_url: "/d/nam-overview?var-instance=x",
    },
    startsAt: "2026-01-02T10:20:30Z",
  };
}

/** The shipped configuration with short waits, as render.sh makes it. */
function configure(folder: string, standIn: WebhookStandIn): string {
  const slack = join(folder, "slack");
  const discord = join(folder, "discord");
  writeFileSync(slack, standIn.url("slack", "token"));
  writeFileSync(discord, standIn.url("discord", "token"));
  const rendered = execFileSync(join(root, "alertmanager/render.sh"), [slack, discord], {
    encoding: "utf8",
  });
  const path = join(folder, "alertmanager.yml");
  writeFileSync(
    path,
    rendered
      .replaceAll(/group_wait: \w+/g, "group_wait: 1s")
      .replaceAll(/group_interval: \w+/g, "group_interval: 200ms"),
  );
  return path;
}

function shown(messages: readonly Received[]): { slack: Shown; discord: Shown } {
  const { title = "", text = "" } = attachment(messages);
  const discord = messages.find(({ vendor }) => vendor === "discord")?.body as {
    embeds: { title: string; description: string }[];
  };
  const [embed] = discord.embeds;
  return {
    slack: { title, text },
    discord: { title: embed?.title ?? "", text: embed?.description ?? "" },
  };
}

function attachment(messages: readonly Received[]): Record<string, string> {
  const slack = messages.find(({ vendor }) => vendor === "slack")?.body as {
    attachments: Record<string, string>[];
  };
  return slack.attachments[0] ?? {};
}

function title(message: Received): string {
  const body = message.body as { attachments?: Shown[]; embeds?: Shown[] };
  return (body.attachments ?? body.embeds)?.[0]?.title ?? "";
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address ? address.port : 0;
}

async function ready(url: string): Promise<void> {
  for (;;) {
    const answer = await fetch(`${url}/-/ready`).catch(() => null);
    if (answer?.ok) return;
    await delay(50);
  }
}
