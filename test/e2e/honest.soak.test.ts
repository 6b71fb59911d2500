// SPDX-License-Identifier: AGPL-3.0-or-later
// Honest traffic before an agent that has seen nothing else, with the shipped rules of Prometheus and Alertmanager.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Anomaly } from "../../src/detect/detector.ts";
import { totalIn } from "../support/exposition.ts";
import { Lab, VICTIM } from "../support/lab.ts";
import { honestClients, startHonest } from "../support/lab-services.ts";
import { AGENT, type Hook, Stack } from "../support/stack.ts";

const SECONDS = 120;
const HOOKS: readonly Hook[] = [
  ...(["agentSlack", "agentDiscord"] as const),
  ...(["alertmanagerSlack", "alertmanagerDiscord"] as const),
];

let lab: Lab;
let stack: Stack;

beforeAll(async () => {
  lab = new Lab("honest");
  stack = new Stack(lab);
  await stack.start();
  await startHonest(lab, VICTIM);
}, 90_000);

afterAll(async () => {
  await lab?.close();
  stack?.close();
}, 30_000);

test(
  "two minutes of downloads, names and pings raise nothing",
  async () => {
    await honestClients(lab, VICTIM, SECONDS);
    const scrape = await stack.metrics();
    expect(totalIn(scrape, "nam_capture_packets_total")).toBeGreaterThan(3_000);
    expect(totalIn(scrape, "nam_application_packets_total", { protocol: "dns" })).toBeGreaterThan(
      300,
    );
    const { events } = await lab.json<{ events: Anomaly[] }>(`${AGENT}/api/v1/events?limit=1000`);
    expect(events).toEqual([]);
    for (const hook of HOOKS) expect(await stack.received(hook)).toEqual([]);
    const firing = await stack.query('ALERTS{alertstate="firing"}');
    expect(firing.map(({ metric }) => metric.alertname)).toEqual(["Watchdog"]);
  },
  (SECONDS + 60) * 1000,
);
