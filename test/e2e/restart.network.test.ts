// SPDX-License-Identifier: AGPL-3.0-or-later
// The product stopped by SIGTERM in the middle of an attack and started again, as by an update: nothing is told twice,
// nothing goes untold.
import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Anomaly } from "../../src/detect/detector.ts";
import { parseText } from "../support/exposition.ts";
import { Lab, until, VICTIM } from "../support/lab.ts";
import { AGENT, Stack } from "../support/stack.ts";

const QUIET_SECONDS = 6;
const SETTINGS = `detectors: {icmp_flood: {quiet_seconds: ${QUIET_SECONDS}}}\n`;
/** A second address of the victim's. */
const SECOND_VICTIM = "10.99.0.3";
/** From what happens to what is said of it, on a busy machine. */
const SOON_MS = 30_000;

let lab: Lab;
let stack: Stack;
let agent: ChildProcess;

beforeAll(async () => {
  lab = new Lab("restart");
  stack = new Stack(lab, SETTINGS);
  execFileSync("ip", ["-n", lab.b, "addr", "add", `${SECOND_VICTIM}/24`, "dev", "lab0"]);
  await stack.startHooks();
  await start();
}, 60_000);

afterAll(async () => {
  await lab?.close();
  stack?.close();
}, 30_000);

async function start(): Promise<void> {
  agent = stack.startAgent();
  await until("the agent", SOON_MS, () => lab.get(`${AGENT}/-/ready`, "-f"));
}

async function stop(): Promise<void> {
  const exit = once(agent, "exit");
  agent.kill("SIGTERM");
  expect(await exit).toEqual([0, null]);
}

/** 500 pings a second until it is stopped. */
function flood(address: string): { end(): Promise<void> } {
  const child = lab.spawn(lab.a, "hping3", ["-q", "--icmp", "-i", "u2000", address], {
    stdio: "ignore",
  });
  return {
    end: async () => {
      const exit = once(child, "exit");
      child.kill("SIGINT");
      await exit;
    },
  };
}

async function open(address: string): Promise<Anomaly | undefined> {
  const { active } = await lab.json<{ active: Anomaly[] }>(`${AGENT}/api/v1/alerts`);
  return active.find(({ detector, entity }) => detector === "icmp_flood" && entity.key === address);
}

/** What the people who read Slack know of floods of an address: "open" or "resolved", oldest first. */
async function told(address: string): Promise<string[]> {
  return (await stack.received("agentSlack"))
    .map(({ body }) => JSON.stringify(body).toLowerCase())
    .filter((text) => text.includes("icmp flood") && text.includes(`${address} `))
    .map((text) => (text.includes("resolved") ? "resolved" : "open"));
}

async function toldSoon(address: string, states: readonly string[]): Promise<void> {
  await until(`${states} of ${address}`, SOON_MS, async () => {
    const so = await told(address);
    return so.length >= states.length;
  });
  expect(await told(address)).toEqual(states);
}

async function cooledDown(): Promise<number> {
  const family = parseText(await stack.metrics()).get("nam_anomaly_suppressed_total");
  const sample = family?.samples.find(
    ({ labels }) => labels.detector === "icmp_flood" && labels.reason === "cooldown",
  );
  return sample?.value ?? 0;
}

test("an attack that goes on is one incident, and its end is told", async () => {
  const attack = flood(VICTIM);
  await toldSoon(VICTIM, ["open"]);
  const before = await until("the incident", SOON_MS, () => open(VICTIM));
  await stop();
  await start();
  const after = await until("the incident to go on", SOON_MS, async () => {
    const now = await open(VICTIM);
    return now && now.count > before.count + 2 * QUIET_SECONDS ? now : null;
  });
  expect(after).toMatchObject({ id: before.id, first_seen: before.first_seen });
  expect(await told(VICTIM)).toEqual(["open"]);
  await attack.end();
  await toldSoon(VICTIM, ["open", "resolved"]);
}, 120_000);

test("what comes back within its cool-down is not told, though the agent was started again", async () => {
  await stop();
  await start();
  const attack = flood(VICTIM);
  await until("the flood to be found and kept back", SOON_MS, async () => (await cooledDown()) > 3);
  await attack.end();
  expect(await open(VICTIM)).toBeUndefined();
  expect(await told(VICTIM)).toEqual(["open", "resolved"]);
}, 120_000);

test("the end of an attack is told that was over before the agent was there again", async () => {
  const attack = flood(SECOND_VICTIM);
  await toldSoon(SECOND_VICTIM, ["open"]);
  await stop();
  await attack.end();
  await start();
  await toldSoon(SECOND_VICTIM, ["open", "resolved"]);
  expect(await open(SECOND_VICTIM)).toBeUndefined();
}, 120_000);
