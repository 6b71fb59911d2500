// SPDX-License-Identifier: AGPL-3.0-or-later
// The promise of --stealth, seen from the other end of the link while the agent sees an attack worth telling.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Lab, until } from "../support/lab.ts";
import { root } from "../support/project.ts";
import { AGENT, Stack } from "../support/stack.ts";

const IFF_PROMISC = 0x100;
const SCAN = "test/fixtures/pcap/syn-scan.pcap";

let lab: Lab;
let stack: Stack;

beforeAll(async () => {
  lab = new Lab("stealth", { quiet: true });
  stack = new Stack(lab);
}, 30_000);

afterAll(async () => {
  await lab?.close();
  stack?.close();
}, 30_000);

test("not one packet leaves and the interface is never promiscuous", async () => {
  const dump = join(stack.folder, "seen.pcap");
  const tcpdump = lab.spawn(
    lab.a,
    "tcpdump",
    ["-i", lab.interfaceName, "-Q", "in", "-U", "-Z", "root", "-w", dump],
    {
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  await new Promise<void>((resolve) =>
    tcpdump.stderr?.on("data", (text: Buffer) => text.includes("listening on") && resolve()),
  );

  stack.startAgent("--stealth");
  await until("the agent", 20_000, () => lab.get(`${AGENT}/-/ready`, "-f"));
  await lab.exec(lab.a, "tcpreplay", "-q", "-i", lab.interfaceName, join(root, SCAN));
  const events = await until("an event", 20_000, async () => {
    const page = await lab.json<{ events: { detector: string }[] }>(`${AGENT}/api/v1/events`);
    return page.events.length > 0 && page.events;
  });
  expect(events.map(({ detector }) => detector)).toContain("port_scan");
  const stored = readFileSync(join(stack.folder, "state/events.ndjson"), "utf8");
  expect(stored).toContain("port_scan");

  const flags = await lab.exec(lab.b, "cat", `/sys/class/net/${lab.interfaceName}/flags`);
  expect(Number(flags) & IFF_PROMISC).toBe(0);
  const details = await lab.exec(lab.b, "ip", "-d", "link", "show", lab.interfaceName);
  expect(details).toMatch(/promiscuity 0/);

  // A packet of the test's own is the proof that leaving packets are seen; nothing came before it.
  await lab.exec(lab.b, "ping", "-c", "1", "-W", "1", "10.99.0.77").catch(() => "nobody answers");
  const seen = await until("the proof", 10_000, async () => {
    const text = await lab.exec(lab.a, "tcpdump", "-n", "-r", dump);
    return text.includes("10.99.0.77") && text.trim().split("\n");
  });
  expect(seen.filter((line) => !line.includes("10.99.0.77"))).toEqual([]);
}, 60_000);
