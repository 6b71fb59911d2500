// SPDX-License-Identifier: AGPL-3.0-or-later
// Router, queue and channels as the monitor runs them, on the real clock, to vendors in a process of their own.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { pino } from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { alertSettings } from "../../src/alert/all.ts";
import { AlertRouter } from "../../src/alert/router.ts";
import { MetricsRegistry } from "../../src/metrics/registry.ts";
import { channelSettings, createChannels } from "../../src/notify/all.ts";
import { systemClock } from "../../src/util/clock.ts";
import { metricOf } from "../support/alert-bench.ts";
import { anomalyOf } from "../support/anomalies.ts";
import { helperProgram } from "../support/helper-program.ts";
import { root } from "../support/project.ts";
import { stringsIn } from "../support/vendor-checks.ts";
import type { Received } from "../support/webhook-stand-in.ts";

let vendors: ChildProcess;
let base = "";

beforeAll(async () => {
  const script = await helperProgram("test/support/webhook-stand-in.ts");
  vendors = spawn(process.execPath, [script, "--port", "0"], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (!vendors.stdout) throw new Error("the stand-in has no standard output");
  const [line] = (await once(vendors.stdout, "data")) as [Buffer];
  base = `http://127.0.0.1:${(JSON.parse(line.toString()) as { port: number }).port}`;
});

afterAll(async () => {
  vendors.kill();
  await once(vendors, "exit");
});

it("an anomaly and its end reach both vendors, in order and in time", async () => {
  const registry = new MetricsRegistry();
  const log = pino({ level: "silent" });
  const own = { allow_http: true, allow_private: true };
  const router = new AlertRouter({
    channels: createChannels(
      channelSettings.parse([
        { type: "slack", url: `${base}/services/T0/B0/token`, ...own },
        { type: "discord", url: `${base}/api/webhooks/42/token`, ...own },
        { type: "log" },
      ]),
      { log, stealth: false },
    ),
    settings: alertSettings.parse({}),
    registry,
    clock: systemClock,
    agent: "host-a",
    log,
  });
  router.accept([anomalyOf()]);
  router.accept([anomalyOf({ state: "resolved" })]);
  await router.stop(10_000);

  const received = (await (await fetch(`${base}/-/received`)).json()) as Received[];
  expect(received.map(({ status, violations, hazards }) => [status, violations, hazards])).toEqual(
    Array.from({ length: 4 }, () => [200, [], []]),
  );
  for (const vendor of ["slack", "discord"]) {
    const said = received.filter((message) => message.vendor === vendor);
    const titles = said.map(({ body }) =>
      stringsIn(body).find((text) => text.includes("port scan")),
    );
    expect(titles[0]).toContain("CRITICAL port scan from 10.0.0.5 on host-a");
    expect(titles[1]).toContain("RESOLVED port scan from 10.0.0.5 on host-a");
    expect(
      await metricOf(registry, "nam_notifications_total", {
        channel: vendor,
        outcome: "delivered",
      }),
    ).toBe(2);
  }
});
