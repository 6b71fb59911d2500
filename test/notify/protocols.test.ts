// SPDX-License-Identifier: AGPL-3.0-or-later
// What the channels do on the wire beyond what all of them promise.
import { createHmac } from "node:crypto";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, describe, expect, it } from "vitest";
import type { Notifier } from "../../src/alert/alert.ts";
import { AlertmanagerNotifier } from "../../src/notify/alertmanager.ts";
import { channelSettings, createChannels } from "../../src/notify/all.ts";
import { RotatingFile } from "../../src/notify/rotating-file.ts";
import { signedHeaders } from "../../src/notify/standard-webhook.ts";
import { Secret } from "../../src/util/secret.ts";
import { alertOf, anomalyOf } from "../support/anomalies.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { MAIL_PASSWORD, MailSink } from "../support/sinks.ts";
import { WebhookStandIn } from "../support/webhook-stand-in.ts";

const never = new AbortController().signal;
const log = pino({ level: "silent" });
const folder = mkdtempSync(join(tmpdir(), "nam-protocols-"));
afterAll(() => rmSync(folder, { recursive: true }));

function channel(settings: object): Notifier {
  const [made] = createChannels(channelSettings.parse([settings]), { log, stealth: false });
  if (!made) throw new Error("no channel");
  return made.notifier;
}

describe("webhook", () => {
  it("is signed as the standard says, with every secret while one replaces another", () => {
    // The example of https://github.com/standard-webhooks/standard-webhooks, computed anew.
    const keys = ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "C2FVsBQIhrscChlQIMV+b5sSYspob7oD"].map(
      (text) => Buffer.from(text, "base64"),
    );
    const headers = signedHeaders(
      "p5jXN8AQM9LWM0D4loKWxJek",
      1_614_265_330_000,
      '{"test":1}',
      keys,
    );
    const expected = keys.map((key) => {
      const signed = 'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test":1}';
      return `v1,${createHmac("sha256", key).update(signed).digest("base64")}`;
    });
    expect(headers).toEqual({
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": expected.join(" "),
    });
  });

  it("has the same id in every attempt, and the bytes that were signed", async () => {
    const standIn = await WebhookStandIn.start();
    const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
    const notifier = channel({
      type: "webhook",
      url: `http://127.0.0.1:${standIn.port}/hooks/a`,
      signing_secret: secret,
      allow_http: true,
      allow_private: true,
    });
    standIn.script({ kind: "status", status: 500 });
    await notifier.send(alertOf(), never);
    await notifier.send(alertOf(), never);
    const [first, second] = standIn.received;
    expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
    for (const { headers, text } of standIn.received) {
      const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${text}`;
      const mac = createHmac("sha256", Buffer.alloc(32, 7)).update(signed).digest("base64");
      expect(headers["webhook-signature"]).toBe(`v1,${mac}`);
    }
    await standIn.close();
  });

  it.each(["whsec_c2hvcnQ=", "no-prefix", `whsec_${Buffer.alloc(65).toString("base64")}`])(
    "refuses the secret %s without repeating it",
    (signing_secret) => {
      const url = "https://receiver.example/hook";
      expect(() => channel({ type: "webhook", url, signing_secret })).toThrow(
        /whsec_ and the base64/,
      );
    },
  );
});

describe("telegram", () => {
  it("waits as long as the body of a 429 says", async () => {
    const standIn = await WebhookStandIn.start();
    const notifier = channel({
      type: "telegram",
      api_url: `http://127.0.0.1:${standIn.port}`,
      bot_token: "42:abcdefghijklmnop",
      chat_id: "@ops_channel",
      allow_http: true,
      allow_private: true,
    });
    const body = '{"ok":false,"error_code":429,"parameters":{"retry_after":13}}';
    standIn.script({ kind: "status", status: 429, body });
    expect(await notifier.send(alertOf(), never)).toMatchObject({ retryAfterMs: 13_000 });
    await standIn.close();
  });
});

describe("alertmanager", () => {
  async function cluster(count: number) {
    const replicas = await Promise.all(Array.from({ length: count }, () => WebhookStandIn.start()));
    const clock = new FakeClock();
    const targets = replicas.map(({ port }, index) => ({
      url: new Secret(`http://127.0.0.1:${port}/api/v2/alerts`),
      policy: { allowHttp: true, allowPrivate: true },
      label: `Alertmanager ${index + 1}`,
      timeoutMs: 2_000,
    }));
    const notifier = new AlertmanagerNotifier({ targets, heartbeatMs: 0, log, clock });
    return { replicas, clock, notifier };
  }
  const ends = ({ body }: { body: unknown }) =>
    (body as { endsAt: string; labels: Record<string, string> }[]).map(({ endsAt, labels }) => [
      labels.severity,
      endsAt,
    ]);

  it("tells every replica, again every minute, and for five minutes when it is over", async () => {
    const { replicas, clock, notifier } = await cluster(3);
    await notifier.send(alertOf(), never);
    await clock.advance(60_000);
    await Promise.all(replicas.map((replica) => replica.arrival(2)));
    for (const { received } of replicas) {
      expect(received.map(ends)).toEqual([
        [["critical", "2026-01-15T12:04:00.000Z"]],
        [["critical", "2026-01-15T12:05:00.000Z"]],
      ]);
    }
    const [replica] = replicas;
    if (!replica) throw new Error("no replica");
    const over = anomalyOf({ state: "resolved" });
    await notifier.send(alertOf({ state: "resolved", anomalies: [over] }), never);
    for (let count = 4; count <= 8; count++) {
      while (clock.pending === 0) await new Promise(setImmediate);
      await clock.advance(60_000);
      await replica.arrival(count);
    }
    expect(replica.received.slice(2).flatMap(ends)).toEqual(
      Array.from({ length: 6 }, () => ["critical", "2026-01-15T12:01:00.000Z"]),
    );
    while (clock.pending === 0) await new Promise(setImmediate);
    await clock.advance(600_000);
    expect(clock.pending).toBe(0);
    await notifier.close();
    await Promise.all(replicas.map((each) => each.close()));
  });

  it("is content with one replica, and with none it tries again", async () => {
    const { replicas, notifier } = await cluster(2);
    await replicas[0]?.close();
    expect(await notifier.send(alertOf(), never)).toMatchObject({
      outcome: "delivered",
      detail: "1 of 2 replicas took it; Alertmanager 1: the connection was refused",
    });
    await replicas[1]?.close();
    expect(await notifier.send(alertOf(), never)).toMatchObject({ outcome: "retry" });
    await notifier.close();
  });

  it("ends the alert of the lower severity when it rises", async () => {
    const { replicas, notifier } = await cluster(1);
    const rising = anomalyOf({ severity: "warning" });
    await notifier.send(alertOf({ anomalies: [rising] }), never);
    await notifier.send(alertOf({ anomalies: [anomalyOf({ state: "update" })] }), never);
    expect(replicas[0]?.received.map(ends)[1]).toEqual([
      ["warning", "2026-01-15T12:00:00.000Z"],
      ["critical", "2026-01-15T12:04:00.000Z"],
    ]);
    await notifier.close();
    await replicas[0]?.close();
  });

  it("goes on with what an earlier run told", async () => {
    const { replicas, clock, notifier } = await cluster(1);
    notifier.resume([anomalyOf()], "host-a");
    await clock.advance(60_000);
    await replicas[0]?.arrival(1);
    expect(replicas[0]?.received).toMatchObject([
      { body: [{ labels: { alertname: "NamDirectPortScan", instance: "host-a" } }] },
    ]);
    await notifier.close();
    await replicas[0]?.close();
  });
});

describe("e-mail", () => {
  function settings(sink: MailSink, changes: object = {}): object {
    return {
      ...{ type: "email", host: "localhost", port: sink.port, security: "starttls" },
      ...{ ca_file: sink.caFile, username: "nam", password: MAIL_PASSWORD },
      ...{ from: "nam@host-a.example", to: ["ops@example.com", "noc@example.com"] },
      ...changes,
    };
  }

  it("goes over STARTTLS with a login, and the end of an incident answers its opening", async () => {
    const sink = await MailSink.start(folder, { secure: false });
    const notifier = channel(settings(sink));
    const anomaly = anomalyOf({ detector: "x\r\nBcc: evil@example.com" });
    expect(await notifier.send(alertOf({ anomalies: [anomaly] }), never)).toEqual({
      outcome: "delivered",
      detail: "the mail server took it for 2 of 2 recipients",
    });
    const over = { ...anomaly, state: "resolved" } as const;
    await notifier.send(alertOf({ id: "2", state: "resolved", anomalies: [over] }), never);
    const [opening = "", ending = ""] = sink.received;
    const id = /^Message-ID: (<[^>]+>)\r$/m.exec(opening)?.[1];
    expect(id).toMatch(/^<nam\.incident\.[0-9a-f]{32}@host-a\.example>$/);
    expect(ending).toContain(`In-Reply-To: ${id}\r\n`);
    expect(ending).toContain(`References: ${id}\r\n`);
    expect(opening).toContain("Auto-Submitted: auto-generated");
    expect(opening).not.toMatch(/^Bcc:/im);
    await sink.close();
  });

  it("sends nothing, and no password, to a server without TLS", async () => {
    const sink = await MailSink.start(folder, { secure: false, withoutTls: true });
    expect(await channel(settings(sink)).send(alertOf(), never)).toMatchObject({
      outcome: "retry",
    });
    expect(sink.received).toEqual([]);
    await sink.close();
  });

  it("trusts no certificate that nobody vouches for", async () => {
    const sink = await MailSink.start(folder, { secure: true });
    const notifier = channel(settings(sink, { security: "tls", ca_file: undefined }));
    expect(await notifier.send(alertOf(), never)).toMatchObject({ outcome: "retry" });
    expect(sink.received).toEqual([]);
    await sink.close();
  });

  it.each([
    [550, { outcome: "rejected" }],
    [451, { outcome: "retry", reason: "server_error" }],
    [452, { outcome: "retry", reason: "rate_limited" }],
  ])("takes reply %d for what it is", async (code, expected) => {
    const sink = await MailSink.start(folder, { secure: false });
    sink.refusal = { code, text: `no ${MAIL_PASSWORD}` };
    const delivery = await channel(settings(sink)).send(alertOf(), never);
    expect(delivery).toMatchObject(expected);
    expect(delivery.detail).toBe(`the mail server answered ${code}`);
    await sink.close();
  });

  it("is closed by a wrong password", async () => {
    const sink = await MailSink.start(folder, { secure: false });
    const notifier = channel(settings(sink, { password: "wrong" }));
    expect(await notifier.send(alertOf(), never)).toMatchObject({
      outcome: "disabled",
      detail: "the mail server answered 535",
    });
    await sink.close();
  });

  it("is refused an address that would be another header, and a metadata service", async () => {
    const sink = await MailSink.start(folder, { secure: false });
    const to = ["a@example.com\r\nBcc: b@example.com"];
    expect(() => channel(settings(sink, { to }))).toThrow();
    const notifier = channel(settings(sink, { host: "169.254.169.254" }));
    expect(await notifier.send(alertOf(), never)).toMatchObject({ outcome: "retry" });
    await sink.close();
  });
});

describe("file", () => {
  it("is rotated by size, keeps so many, and is nobody else's to read", async () => {
    const path = join(folder, "rotated.json");
    const file = new RotatingFile({ path, maxBytes: 100, keep: 2, fsync: true });
    for (let index = 0; index < 8; index++) await file.append(`${index}${"x".repeat(48)}\n`);
    const names = readdirSync(folder).filter((name) => name.startsWith("rotated"));
    expect(names.sort()).toEqual(["rotated.json", "rotated.json.1", "rotated.json.2"]);
    expect(readFileSync(path, "utf8").match(/^\d/gm)).toEqual(["6", "7"]);
    expect(readFileSync(`${path}.2`, "utf8").match(/^\d/gm)).toEqual(["2", "3"]);
    expect(statSync(path).mode & 0o777).toBe(0o640);
  });

  it("follows no link, and is tried again", async () => {
    const path = join(folder, "link.json");
    writeFileSync(join(folder, "target"), "");
    symlinkSync(join(folder, "target"), path);
    expect(await channel({ type: "file", path }).send(alertOf(), never)).toEqual({
      outcome: "retry",
      reason: "server_error",
      detail: "the file cannot be written (ELOOP)",
    });
    expect(readFileSync(join(folder, "target"), "utf8")).toBe("");
  });

  it.runIf(existsSync("/dev/full"))("says when the disk is full", async () => {
    const path = "/dev/full";
    expect(await channel({ type: "file", path }).send(alertOf(), never)).toMatchObject({
      outcome: "retry",
      detail: "the file cannot be written (ENOSPC)",
    });
  });
});
