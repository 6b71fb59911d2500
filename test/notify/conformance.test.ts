// SPDX-License-Identifier: AGPL-3.0-or-later
// What every channel promises, run over the whole list. A new channel needs a line in `rigs`.
import dns from "node:dns";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Delivery, Notifier } from "../../src/alert/alert.ts";
import { alertSettings } from "../../src/alert/all.ts";
import { AlertRouter } from "../../src/alert/router.ts";
import { sendTest } from "../../src/alert/test-alert.ts";
import { MetricsRegistry } from "../../src/metrics/registry.ts";
import { channelSettings, channels, createChannels } from "../../src/notify/all.ts";
import { systemClock } from "../../src/util/clock.ts";
import { alertOf, anomalyOf } from "../support/anomalies.ts";
import { MailSink, SyslogSink } from "../support/sinks.ts";
import { type Behaviour, WebhookStandIn } from "../support/webhook-stand-in.ts";

const TOKEN = "sEcReTtOkEn0123456789";
const TIMEOUT_SECONDS = 1;
const never = new AbortController().signal;

const http = { allow_http: true, allow_private: true };
const folder = mkdtempSync(join(tmpdir(), "nam-conformance-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** How a channel is set up, against the stand-in where it speaks HTTP. */
const rigs: Readonly<Record<string, (base: string, host: string) => object>> = {
  slack: (base) => ({ url: `${base}/services/T0/B0/${TOKEN}`, ...http }),
  discord: (base) => ({ url: `${base}/api/webhooks/42/${TOKEN}`, ...http }),
  teams: (base) => ({
    url: `${base}/workflows/0a1b/triggers/manual/paths/invoke?sig=${TOKEN}`,
    ...http,
  }),
  telegram: (base) => ({ api_url: base, bot_token: `42:${TOKEN}`, chat_id: -100_1, ...http }),
  pagerduty: (base) => ({
    endpoint: `${base}/v2/enqueue`,
    routing_key: TOKEN.padEnd(32, "x"),
    ...http,
  }),
  webhook: (base) => ({
    url: `${base}/hooks/${TOKEN}`,
    signing_secret: `whsec_${TOKEN.padEnd(40, "x")}`,
    ...http,
  }),
  alertmanager: (base) => ({ urls: [base], authorization: `Bearer ${TOKEN}`, ...http }),
  otlp: (base) => ({ url: `${base}/v1/logs`, authorization: `Bearer ${TOKEN}`, ...http }),
  email: (_, host) => ({
    ...{ host, port: mail.port, security: "tls", ca_file: mail.caFile },
    ...{ username: "nam", password: TOKEN },
    ...{ from: "nam@host-a.example", to: ["ops@example.com"] },
  }),
  syslog: (_, host) => ({ host, port: collector.port, transport: "tcp" }),
  file: () => ({ path: join(folder, "events.json") }),
  stdout: () => ({}),
  log: () => ({}),
};
/** Channels whose failures are those of HTTP. */
const OTHERS = ["email", "syslog", "file", "stdout", "log"];
/** Channels that hold a secret. */
const SECRETIVE = Object.keys(rigs).filter((type) => type === "email" || !OTHERS.includes(type));
const webhooks = Object.keys(rigs).filter((type) => !OTHERS.includes(type));

type Found = (error: null, addresses: { address: string; family: number }[]) => void;

interface Rig {
  readonly notifier: Notifier;
  readonly standIn: WebhookStandIn;
  readonly lines: string[];
  readonly settings: unknown;
}

let mail: MailSink;
let collector: SyslogSink;
beforeAll(async () => {
  mail = await MailSink.start(folder);
  collector = await SyslogSink.start();
});
afterAll(async () => {
  await mail.close();
  await collector.close();
});

let standIn: WebhookStandIn;
const printed: string[] = [];
beforeEach(async () => {
  printed.length = 0;
  vi.spyOn(process.stdout, "write").mockImplementation(((text: string, done?: () => void) => {
    printed.push(text);
    done?.();
    return true;
  }) as never);
  standIn = await WebhookStandIn.start();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await standIn.close();
});

/** `hasty` ones give up soon: for tests of what does not come. Others have time on a busy machine. */
function rig(type: string, hasty = false, host = "127.0.0.1"): Rig {
  const own = rigs[type]?.(`http://${host}:${standIn.port}`, host);
  const limit = hasty ? { timeout_seconds: TIMEOUT_SECONDS } : {};
  const settings = channelSettings.parse([{ type, ...own, ...limit }]);
  const lines: string[] = [];
  const log = pino({ level: "debug" }, { write: (line: string) => void lines.push(line) });
  const [channel] = createChannels(settings, { log, stealth: false });
  if (!channel) throw new Error(`no channel of type ${type}`);
  return { notifier: channel.notifier, standIn, lines, settings };
}

/** What the metrics and the status say after an anomaly went through the router to the channel. */
async function routed(
  settings: unknown,
  lines: string[],
  until: () => Promise<unknown> = async () => {},
): Promise<string[]> {
  const registry = new MetricsRegistry();
  const log = pino({ level: "debug" }, { write: (line: string) => void lines.push(line) });
  const channels = createChannels(settings as Parameters<typeof createChannels>[0], {
    log,
    stealth: false,
  });
  const router = new AlertRouter({
    ...{ channels, settings: alertSettings.parse({}), registry },
    ...{ clock: systemClock, agent: "host-a", log },
  });
  router.accept([anomalyOf()]);
  await until();
  await router.stop(2_000);
  return [(await registry.text(true)).body, JSON.stringify(router.status())];
}

function status(code: number, headers: Record<string, string> = {}, body = ""): Behaviour {
  return { kind: "status", status: code, headers, body };
}

it("every channel is in this suite", () => {
  expect(channels.map(({ type }) => type).sort()).toEqual(Object.keys(rigs).sort());
});

describe.each(channels.map(({ type }) => type))("channel %s", (type) => {
  const alerts = {
    "an opening": alertOf(),
    "an update": alertOf({ state: "update", anomalies: [anomalyOf({ state: "update" })] }),
    "an end": alertOf({ state: "resolved", anomalies: [anomalyOf({ state: "resolved" })] }),
    "several anomalies": alertOf({ anomalies: [anomalyOf(), anomalyOf()], more: 17 }),
  };
  it.each(Object.entries(alerts))("delivers %s", async (_, alert) => {
    const { notifier } = rig(type);
    expect(await notifier.send(alert, never)).toMatchObject({ outcome: "delivered" });
    expect(
      standIn.received.flatMap(({ violations, hazards }) => [...violations, ...hazards]),
    ).toEqual([]);
  });

  it("delivers a test message that says it is one", async () => {
    const { notifier, lines } = rig(type);
    const delivery = await sendTest(notifier, { agent: "host-a", clock: systemClock });
    expect(delivery.outcome).toBe("delivered");
    const said = [
      ...standIn.received.map(({ text }) => text),
      ...lines,
      ...mail.received,
      ...collector.received,
      ...printed,
      type === "file" ? readFileSync(join(folder, "events.json"), "utf8") : "",
    ].join("");
    expect(said).toMatch(/test message|"NamDirectTest"|nam\.test/i);
  });

  it("shows its secret nowhere, whether it delivers or is refused with it", async () => {
    const { notifier, lines, settings } = rig(type);
    const seen = [inspect(notifier, { depth: 9, showHidden: true }), inspect(settings)];
    seen.push(JSON.stringify(settings), JSON.stringify(await notifier.send(alertOf(), never)));
    mail.refusal = { code: 550, text: `no ${TOKEN}` };
    standIn.script(status(400, {}, `no ${TOKEN}`), status(404, {}, `no ${TOKEN}`));
    try {
      const refused = await notifier.send(alertOf(), never);
      if (SECRETIVE.includes(type)) expect(refused.outcome).not.toBe("delivered");
      seen.push(JSON.stringify(refused), ...(await routed(settings, lines)));
    } finally {
      mail.refusal = null;
    }
    for (const text of [...seen, ...lines, ...printed]) expect(text).not.toContain(TOKEN);
  });

  it("is told apart by its name, and hides no setting behind another name", () => {
    const definition = channels.find((candidate) => candidate.type === type);
    expect(definition?.help).toMatch(/\w/);
    expect(definition?.rate.perSecond).toBeGreaterThan(0);
  });
});

describe.each(channels.filter(({ usesNetwork }) => !usesNetwork).map(({ type }) => type))(
  "local channel %s",
  (type) => {
    it("is there in stealth mode, and sends nothing", async () => {
      const settings = channelSettings.parse([{ type, ...rigs[type]?.("", "") }]);
      const log = pino({ level: "silent" });
      expect(createChannels(settings, { log, stealth: true })).toHaveLength(1);
      await rig(type).notifier.send(alertOf(), never);
      expect(standIn.received).toEqual([]);
    });
  },
);

describe.each(channels.filter(({ usesNetwork }) => usesNetwork).map(({ type }) => type))(
  "network channel %s",
  (type) => {
    /** What the channel's name resolves to from now on, asked by whom it may. */
    function resolveTo(address: string): void {
      vi.spyOn(dns, "lookup").mockImplementation(((_name: string, _options: object, done: Found) =>
        done(null, [{ address, family: 4 }])) as never);
    }

    it("connects to the address that was checked, and to none that its name is turned to", async () => {
      const { notifier } = rig(type, false, "localhost");
      resolveTo("127.0.0.1");
      expect(await notifier.send(alertOf(), never)).toMatchObject({ outcome: "delivered" });
      const connections = vi.spyOn(net.Socket.prototype, "connect");
      resolveTo("169.254.169.254");
      const refused = await notifier.send(alertOf({ id: "after it was turned" }), never);
      expect(refused).toMatchObject({
        outcome: "retry",
        detail: expect.stringMatching(/not public/),
      });
      expect(inspect(connections.mock.calls)).not.toContain("169.254");
    });
  },
);

describe.each(webhooks)("webhook channel %s", (type) => {
  it("is not there in stealth mode", () => {
    const { settings } = rig(type);
    const log = pino({ level: "silent" });
    const parsed = settings as Parameters<typeof createChannels>[0];
    expect(createChannels(parsed, { log, stealth: true })).toEqual([]);
  });

  const answers: [string, Behaviour, Partial<Delivery>][] = [
    ["400", status(400), { outcome: "rejected", reason: "rejected" }],
    ["401", status(401), { outcome: "disabled", reason: "unauthorized" }],
    ["403", status(403), { outcome: "disabled", reason: "unauthorized" }],
    ["404", status(404), { outcome: "disabled", reason: "gone" }],
    ["408", status(408), { outcome: "retry", reason: "timeout" }],
    ["410", status(410), { outcome: "disabled", reason: "gone" }],
    ["413", status(413), { outcome: "rejected", reason: "rejected" }],
    ["425", status(425), { outcome: "retry", reason: "server_error" }],
    ["429", status(429), { outcome: "retry", reason: "rate_limited" }],
    [
      "429 with Retry-After",
      status(429, { "Retry-After": "7" }),
      { outcome: "retry", reason: "rate_limited", retryAfterMs: 7_000 },
    ],
    [
      "503 with Retry-After",
      status(503, { "Retry-After": "120" }),
      { outcome: "retry", reason: "server_error", retryAfterMs: 120_000 },
    ],
    ["500", status(500), { outcome: "retry", reason: "server_error" }],
    ["502", status(502), { outcome: "retry", reason: "server_error" }],
    ["silence", { kind: "hang" }, { outcome: "retry", reason: "timeout" }],
    ["a reset", { kind: "reset" }, { outcome: "retry", reason: "network" }],
    ["200 and an endless body", { kind: "slow-loris", status: 200 }, { outcome: "delivered" }],
    [
      "500 and an endless body",
      { kind: "slow-loris", status: 500 },
      { outcome: "retry", reason: "server_error" },
    ],
    [
      "200 and 64 MB",
      { kind: "huge-body", status: 200, sizeBytes: 64 << 20 },
      { outcome: "delivered" },
    ],
    [
      "400 and 64 MB",
      { kind: "huge-body", status: 400, sizeBytes: 64 << 20 },
      { outcome: "rejected" },
    ],
  ];
  it.each(answers)("takes %s for what it is", async (_, behaviour, expected) => {
    const { notifier } = rig(type, /hang|slow/.test(behaviour.kind));
    standIn.script(behaviour);
    const startMs = performance.now();
    expect(await notifier.send(alertOf(), never)).toMatchObject(expected);
    expect(performance.now() - startMs).toBeLessThan(TIMEOUT_SECONDS * 1_000 + 2_000);
  });

  it("understands a date in Retry-After", async () => {
    const { notifier } = rig(type);
    standIn.script(status(429, { "Retry-After": new Date(Date.now() + 90_000).toUTCString() }));
    const delivery = await notifier.send(alertOf(), never);
    expect(delivery).toMatchObject({ retryAfterMs: expect.any(Number) });
    const { retryAfterMs = 0 } = delivery as { retryAfterMs?: number };
    expect(retryAfterMs).toBeGreaterThan(85_000);
    expect(retryAfterMs).toBeLessThanOrEqual(90_000);
  });

  it.each([301, 302, 307, 308])("follows no redirect (%d)", async (code) => {
    const trap = await WebhookStandIn.start();
    const { notifier } = rig(type);
    standIn.script(status(code, { Location: `http://127.0.0.1:${trap.port}/services/T0/B0/trap` }));
    expect(await notifier.send(alertOf(), never)).toMatchObject({ outcome: "rejected" });
    expect(trap.received).toEqual([]);
    await trap.close();
  });

  it("takes a refused connection for a passing failure", async () => {
    const { notifier } = rig(type);
    const { port } = standIn;
    await standIn.close();
    expect(await notifier.send(alertOf(), never)).toMatchObject({
      outcome: "retry",
      reason: "network",
    });
    standIn = await WebhookStandIn.start(port);
    expect(await notifier.send(alertOf(), never)).toMatchObject({ outcome: "delivered" });
  });

  it("stops at once when told to", async () => {
    const { notifier } = rig(type);
    standIn.script({ kind: "hang" });
    const stop = new AbortController();
    const sending = notifier.send(alertOf(), stop.signal);
    await standIn.arrival(1);
    stop.abort();
    expect(await sending).toMatchObject({ outcome: "retry", reason: "network" });
  });

  it("lets its secret out nowhere: not in details, logs, metrics, errors or inspection", async () => {
    const { notifier, lines, settings } = rig(type, true);
    const echo = `https://hooks.slack.com/services/T0/B0/${TOKEN}`;
    const behaviours: Behaviour[] = [
      ...answers.filter(([, { kind }]) => kind !== "huge-body").map(([, behaviour]) => behaviour),
      status(400, {}, echo),
      status(404, {}, JSON.stringify({ message: echo, code: echo, retry_after: echo })),
      status(302, { Location: echo }),
    ];
    const seen: string[] = [
      inspect(notifier, { depth: 9, showHidden: true }),
      inspect(settings),
      JSON.stringify(settings),
    ];
    standIn.script(...behaviours);
    for (const _ of behaviours) seen.push(JSON.stringify(await notifier.send(alertOf(), never)));

    standIn.script(status(404, {}, echo));
    seen.push(...(await routed(settings, lines, () => standIn.arrival(behaviours.length + 1))));

    await standIn.close();
    seen.push(JSON.stringify(await notifier.send(alertOf(), never)));
    standIn = await WebhookStandIn.start();
    for (const text of [...seen, ...lines]) {
      expect(text).not.toContain(TOKEN);
      expect(text).not.toMatch(/\/services\/|\/webhooks\//);
    }
    expect(lines.join()).toContain("the channel is closed");
  });
});

describe("discord", () => {
  it("waits for the message to be stored", async () => {
    const { notifier } = rig("discord");
    await notifier.send(alertOf(), never);
    expect(standIn.received[0]?.path).toMatch(/\?wait=true$/);
  });

  it.each([
    [
      "the body",
      status(429, {}, JSON.stringify({ message: "", retry_after: 1.337, global: true })),
      1_337,
    ],
    ["the header, where longer", status(429, { "Retry-After": "3" }, '{"retry_after":1.3}'), 3_000],
    ["its own header", status(429, { "X-RateLimit-Reset-After": "2.5" }), 2_500],
    ["a body that is not JSON", status(429, { "Retry-After": "60" }, "<html>"), 60_000],
  ])("takes the wait from %s", async (_, behaviour, retryAfterMs) => {
    const { notifier } = rig("discord");
    standIn.script(behaviour);
    expect(await notifier.send(alertOf(), never)).toMatchObject({ outcome: "retry", retryAfterMs });
  });

  it("pauses when the vendor says that nothing is left", async () => {
    const { notifier } = rig("discord");
    standIn.script({
      kind: "accept",
      headers: { "X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "1.25" },
    });
    expect(await notifier.send(alertOf(), never)).toMatchObject({ pauseMs: 1_250 });
    const next = await notifier.send(alertOf(), never);
    expect(next).not.toHaveProperty("pauseMs");
  });

  it("gives the vendor's error number", async () => {
    const { notifier } = rig("discord");
    standIn.script(status(404, {}, '{"message":"Unknown Webhook","code":10015}'));
    expect(await notifier.send(alertOf(), never)).toMatchObject({
      detail: "the receiver answered 404 (code 10015)",
    });
  });
});

describe("slack", () => {
  it("gives the vendor's error word", async () => {
    const { notifier } = rig("slack");
    standIn.script(status(404, {}, "no_service"));
    expect(await notifier.send(alertOf(), never)).toMatchObject({
      detail: "the receiver answered 404 (no_service)",
    });
  });
});

describe("log", () => {
  it("writes one line an event, with the event in it", async () => {
    const { notifier, lines } = rig("log");
    const anomalies = [anomalyOf({ id: "a" }), anomalyOf({ id: "b", state: "resolved" })];
    await notifier.send(alertOf({ anomalies }), never);
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      {
        level: 40,
        msg: "anomaly",
        agent: "host-a",
        event: { id: "a", evidence: anomalyOf().evidence },
      },
      { level: 30, msg: "anomaly resolved", event: { id: "b", state: "resolved" } },
    ]);
  });

  it("writes no control characters and no 64 KB names", async () => {
    const { notifier, lines } = rig("log");
    const explanation = `\u001b[2J\u202e${"x".repeat(65_536)}`;
    await notifier.send(alertOf({ anomalies: [anomalyOf({ explanation })] }), never);
    expect(lines.join().trimEnd()).not.toMatch(/[\p{Cc}\u202e]|\\u001b/u);
    expect(lines.join().length).toBeLessThan(3_000);
  });
});
