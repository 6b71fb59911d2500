// SPDX-License-Identifier: AGPL-3.0-or-later
// The product as its operator runs it: a live interface, a real Prometheus and Alertmanager with the shipped files,
// real attack tools from another host, and stand-ins where Slack and Discord would be.
import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Anomaly } from "../../src/detect/detector.ts";
import { totalIn } from "../support/exposition.ts";
import { ATTACKER, Lab, until, VICTIM } from "../support/lab.ts";
import { honestClients, modelClient, startHonest, startScript } from "../support/lab-services.ts";
import { namedExpressions } from "../support/named-metrics.ts";
import { AGENT, type Hook, Stack } from "../support/stack.ts";
import type { Received } from "../support/webhook-stand-in.ts";

/** How long an attack that was told is looked for the end of. */
const OVER_MS = 180_000;
const HONEST_SECONDS = 45;
/** From the first attack packet to the message at the chat service. */
const DEADLINE_MS = 3_000;
const AGENT_HOOKS: readonly Hook[] = ["agentSlack", "agentDiscord"];

let lab: Lab;
let stack: Stack;

beforeAll(async () => {
  lab = new Lab("e2e");
  stack = new Stack(lab);
  await stack.start();
  await startHonest(lab, VICTIM);
  await talkToModel();
}, 90_000);

afterAll(async () => {
  await lab?.close();
  stack?.close();
}, 30_000);

/** Series of what is first seen are at 0 for half a minute: the sooner it is seen, the less there is to wait for. */
async function talkToModel(): Promise<void> {
  await startScript(lab, lab.b, "lab-model.ts", "serve", VICTIM);
  await until("the model", 20_000, () =>
    lab
      .get(
        `https://${VICTIM}/`,
        "--insecure",
        "--output",
        "/dev/null",
        "--write-out",
        "%{http_code}",
      )
      .then((status) => status === "405"),
  );
  await modelClient(lab, VICTIM);
}

/** Totals of a family from the agent itself, over series whose labels match. */
async function total(
  metric: string,
  where: Readonly<Record<string, string>> = {},
): Promise<number> {
  return totalIn(await stack.metrics(), metric, where);
}

function mentions(message: Received, text: string): boolean {
  return JSON.stringify(message.body).toLowerCase().includes(text.toLowerCase());
}

/** The first message at each of the agent's webhooks that says all of this. */
async function told(timeoutMs: number, ...words: string[]): Promise<Received[]> {
  return until(`a message that says ${words.join(", ")}`, timeoutMs, async () => {
    const first = await Promise.all(
      AGENT_HOOKS.map(async (hook) =>
        (await stack.received(hook)).find((message) =>
          words.every((word) => mentions(message, word)),
        ),
      ),
    );
    return first.every((message) => message !== undefined) ? (first as Received[]) : null;
  });
}

async function events(): Promise<Anomaly[]> {
  const url = `${AGENT}/api/v1/events?limit=1000`;
  return (await lab.json<{ events: Anomaly[] }>(url)).events;
}

async function attacksToBeOver(): Promise<void> {
  for (const words of [
    ["port scan", ATTACKER],
    ["syn flood", VICTIM],
  ]) {
    await told(OVER_MS, "resolved", ...words);
  }
  await until("everything critical to be over", 120_000, async () =>
    (await total("nam_anomaly_active", { severity: "critical" })) === 0 ? true : null,
  );
}

/** Waits until the agent has counted everything that was sent before the call. */
async function settled(): Promise<void> {
  let last = -1;
  await until("traffic to settle", 20_000, async () => {
    const now = await total("nam_capture_packets_total");
    const same = now === last;
    last = now;
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    return same;
  });
}

test("a SYN scan is in Slack and Discord within three seconds of its first packet", async () => {
  const startMs = Date.now();
  const scan = lab.exec(lab.a, "nmap", "-n", "-Pn", "-sS", "-T4", "-p1-2000", VICTIM);
  const messages = await told(10_000, "port scan", ATTACKER);
  await scan;
  for (const { atMs, violations, hazards } of messages) {
    expect([...violations, ...hazards]).toEqual([]);
    expect(atMs - startMs).toBeLessThan(DEADLINE_MS);
  }
}, 40_000);

test("a SYN flood is in Slack and Discord within three seconds of its first packet", async () => {
  const startMs = Date.now();
  const flood = lab
    .exec(
      lab.a,
      "hping3",
      "-q",
      "-S",
      "-p",
      "80",
      "--rand-source",
      "-i",
      "u400",
      "-c",
      "15000",
      VICTIM,
    )
    .catch(() => "hping3 ends with an error when answers are missing");
  const messages = await told(10_000, "syn flood", VICTIM);
  await flood;
  for (const { atMs, violations, hazards } of messages) {
    expect([...violations, ...hazards]).toEqual([]);
    expect(atMs - startMs).toBeLessThan(DEADLINE_MS);
  }
}, 40_000);

test("Prometheus' rules fire on both and Alertmanager delivers them to the same services", async () => {
  for (const hook of ["alertmanagerSlack", "alertmanagerDiscord"] as const) {
    for (const alert of ["NamSynFlood", "NamPortScan"]) {
      const message = await until(`${alert} at ${hook}`, 60_000, async () =>
        (await stack.received(hook)).find((received) => mentions(received, alert)),
      );
      expect(message.violations).toEqual([]);
    }
  }
}, 130_000);

test("a sensor killed with -9 is back within three seconds and no counter goes back", async () => {
  const clients = lab.exec(lab.a, "ping", "-q", "-f", "-w", "8", VICTIM);
  const before = await total("nam_capture_packets_total");
  const [pid] = stack.sensorPids();
  expect(pid).toBeDefined();
  process.kill(pid as number, "SIGKILL");
  const killedMs = Date.now();
  await until("another sensor", DEADLINE_MS, async () => {
    const [now] = stack.sensorPids();
    // One scrape a look: each takes a while where the machine is busy.
    const text = await stack.metrics();
    const isUp = totalIn(text, "nam_capture_up") === 1;
    const goesOn = totalIn(text, "nam_capture_packets_total") > before;
    return now !== undefined && now !== pid && isUp && goesOn;
  });
  expect(Date.now() - killedMs).toBeLessThan(DEADLINE_MS);
  expect(await total("nam_sensor_restarts_total")).toBe(1);
  await clients;
}, 40_000);

test("promtool finds nothing to say about the live endpoint", async () => {
  const text = await stack.metrics();
  const output = execFileSync("promtool", ["check", "metrics"], {
    input: text,
    encoding: "utf8",
    stdio: "pipe",
  });
  expect(output).toBe("");
});

test(
  "what the attacks opened is told to be over, while honest traffic opens nothing",
  async () => {
    const startSeconds = Date.now() / 1000;
    await Promise.all([attacksToBeOver(), honestClients(lab, VICTIM, HONEST_SECONDS)]);
    const opened = (await events()).filter(({ state }) => state === "open");
    expect(opened.filter(({ time }) => time > startSeconds)).toEqual([]);
  },
  OVER_MS + 60_000,
);

test("calls to a model and their token streams are counted, from 0 on", async () => {
  for (const query of [
    'sum(increase(nam_ai_calls_total{provider="openai"}[5m])) >= 2',
    'sum(increase(nam_ai_stream_episodes_total{known="no"}[5m])) >= 1',
    'instance_provider:nam_ai_calls:rate5m{provider="openai"} > 0',
  ]) {
    await until(query, 60_000, async () => (await stack.query(query)).length > 0);
  }
  const streams = (known: string) => total("nam_ai_stream_episodes_total", { known });
  expect([await streams("yes"), await streams("no")]).toEqual([2, 1]);
}, 150_000);

test("every expression in grafana/ and prometheus/ names metrics that exist, and returns data", async () => {
  const wanted = namedExpressions().flatMap(({ file, title, whole, metrics, conditional }) => {
    const queries = metrics.map((metric) => `count({__name__="${metric}"})`);
    return [...queries, ...(conditional ? [] : [whole])].map((query) => ({ query, file, title }));
  });
  expect(wanted.length).toBeGreaterThan(100);
  let missing = wanted;
  // Some rules are evaluated once in a minute.
  await until("data of every expression", 90_000, async () => {
    const results = await stack.queries(missing.map(({ query }) => query));
    missing = missing.filter((_, at) => results[at]?.length === 0);
    return missing.length === 0;
  }).catch(() => undefined);
  expect(missing).toEqual([]);
}, 120_000);

test("the counts add up: every family is all packets, received is processed and dropped", async () => {
  await settled();
  const scrape = await stack.metrics();
  const packets = totalIn(scrape, "nam_capture_packets_total");
  expect(packets).toBeGreaterThan(20_000);
  for (const layer of ["network", "transport", "application"]) {
    expect(totalIn(scrape, `nam_${layer}_packets_total`)).toBe(packets);
    expect(totalIn(scrape, `nam_${layer}_bytes_total`)).toBe(
      totalIn(scrape, "nam_capture_bytes_total"),
    );
  }
  const dropped = totalIn(scrape, "nam_capture_dropped_packets_total");
  expect(totalIn(scrape, "nam_capture_received_packets_total")).toBe(packets + dropped);
});
