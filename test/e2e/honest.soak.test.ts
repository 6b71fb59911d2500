// SPDX-License-Identifier: AGPL-3.0-or-later
// Honest traffic before an agent that has seen nothing else, with the shipped rules of Prometheus and Alertmanager.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Anomaly } from "../../src/detect/detector.ts";
import { parseText } from "../support/exposition.ts";
import { Lab, until, VICTIM } from "../support/lab.ts";
import { honestClients, startNames, startScript } from "../support/lab-services.ts";
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
  await startScript(lab, lab.b, "benign-server.ts", VICTIM);
  startNames(lab, [VICTIM]);
  await until("the victim's services", 20_000, () => lab.get(`http://${VICTIM}:8080/`));
}, 90_000);

afterAll(async () => {
  await lab?.close();
  stack?.close();
}, 30_000);

async function counted(metric: string, where: Readonly<Record<string, string>> = {}) {
  const { samples } = parseText(await stack.metrics()).get(metric) ?? { samples: [] };
  const matching = samples.filter(({ labels }) =>
    Object.entries(where).every(([name, value]) => labels[name] === value),
  );
  return matching.reduce((sum, { value }) => sum + value, 0);
}

test(
  "two minutes of downloads, names and pings raise nothing",
  async () => {
    await honestClients(lab, VICTIM, SECONDS);
    expect(await counted("nam_capture_packets_total")).toBeGreaterThan(3_000);
    expect(await counted("nam_application_packets_total", { protocol: "dns" })).toBeGreaterThan(
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
