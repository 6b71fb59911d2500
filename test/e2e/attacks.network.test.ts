// SPDX-License-Identifier: AGPL-3.0-or-later
// One attack of each family at live speed: all of them at once, from addresses of their own, against one agent.
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Anomaly, Entity } from "../../src/detect/detector.ts";
import { covertAttacks, FTP_PORT, startTunnelEnd, UPLOAD_PORT } from "../support/attack-covert.ts";
import { frameAttacks, LONG_ANSWER, NAME_SERVER } from "../support/attack-frames.ts";
import { toolAttacks } from "../support/attack-tools.ts";
import { addAddresses, OUTSIDE } from "../support/attack-topology.ts";
import { ATTACKER, Lab, until, VICTIM } from "../support/lab.ts";
import { honestClients, startNames, startScript } from "../support/lab-services.ts";
import type { LiveAttack } from "../support/live-attack.ts";
import { AGENT, Stack } from "../support/stack.ts";

/** Those that take longest begin first. */
const ATTACKS = [...toolAttacks, ...covertAttacks, ...frameAttacks].sort(
  (left, right) => right.withinSeconds - left.withinSeconds,
);
const HOSTS = 20;
const AT_ONCE = 5;
const HONEST_SECONDS = 15;
/** Long enough for the slowest attack and a busy machine; what is late fails on its own bound. */
const DEADLINE_MS = 40_000;

interface Outcome {
  readonly anomaly: Anomaly | undefined;
  /** When it could be read from the agent, and when the attack's first packet was on the wire. */
  readonly foundMs: number;
  readonly firstPacketMs: number;
  readonly said: string;
}

let lab: Lab;
let stack: Stack;
const outcomes = new Map<LiveAttack, Outcome>();
let told: Anomaly[] = [];

beforeAll(async () => {
  lab = new Lab("attacks");
  stack = new Stack(lab);
  addAddresses(lab, HOSTS);
  await startServices();
  stack.startAgent();
  await until("the agent", 20_000, () => lab.get(`${AGENT}/-/ready`, "-f"));
  await until("the victim's services", 20_000, () => lab.get(`http://${NAME_SERVER}:8080/`));
  const dump = join(stack.folder, "attacks.pcap");
  const stopRecording = await record(dump);
  const launched = launchAll();
  const honest = honestClients(lab, VICTIM, HONEST_SECONDS);
  const found = await watch();
  const said = await launched;
  await honest;
  await stopRecording();
  for (const attack of ATTACKS) {
    outcomes.set(attack, {
      anomaly: found.get(attack)?.anomaly,
      foundMs: found.get(attack)?.foundMs ?? Number.NaN,
      firstPacketMs: firstPacketMs(dump, attack.packets),
      said: said.get(attack) ?? "",
    });
  }
}, 120_000);

afterAll(async () => {
  await lab?.close();
  stack?.close();
}, 30_000);

async function startServices(): Promise<void> {
  await startScript(lab, lab.b, "benign-server.ts", "0.0.0.0");
  await startScript(lab, lab.b, "attack-services.ts", "ftp", "0.0.0.0", String(FTP_PORT));
  await startScript(lab, lab.a, "attack-services.ts", "upload", OUTSIDE, String(UPLOAD_PORT));
  const long = [LONG_ANSWER, ...Array(5).fill("x".repeat(240))].join(",");
  startNames(lab, [VICTIM, NAME_SERVER], "--edns-packet-max=4096", `--txt-record=${long}`);
  startTunnelEnd(lab, stack.folder);
}

/** Runs all attacks, some at a time, since the machine they load is the agent's, too; answers what the tools said. */
async function launchAll(): Promise<Map<LiveAttack, string>> {
  const said = new Map<LiveAttack, string>();
  const waiting = [...ATTACKS];
  const launchNext = async (): Promise<void> => {
    for (let attack = waiting.shift(); attack; attack = waiting.shift()) {
      said.set(attack, await attack.launch(lab, stack.folder));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, launchNext));
  return said;
}

/** Records the wire until the function it answers is called. */
async function record(file: string): Promise<() => Promise<unknown>> {
  const args = ["-i", lab.interfaceName, "-s", "128", "-B", "8192", "-U", "-Z", "root", "-w", file];
  const tcpdump = lab.spawn(lab.b, "tcpdump", args, { stdio: ["ignore", "ignore", "pipe"] });
  await new Promise<void>((resolve) =>
    tcpdump.stderr?.on("data", (text: Buffer) => text.includes("listening on") && resolve()),
  );
  return async () => {
    tcpdump.kill("SIGINT");
    await once(tcpdump, "exit");
  };
}

/** Reads the agent's events until every attack is among them, or too much time has passed. */
async function watch(): Promise<Map<LiveAttack, { anomaly: Anomaly; foundMs: number }>> {
  const found = new Map<LiveAttack, { anomaly: Anomaly; foundMs: number }>();
  const everything = until("every attack", DEADLINE_MS, async () => {
    const url = `${AGENT}/api/v1/events?state=open&limit=1000`;
    ({ events: told } = await lab.json<{ events: Anomaly[] }>(url));
    const foundMs = Date.now();
    for (const attack of ATTACKS) {
      const anomaly = told.find((event) => isOf(event, attack));
      if (anomaly && !found.has(attack)) found.set(attack, { anomaly, foundMs });
    }
    return found.size === ATTACKS.length;
  });
  // What is missing is said by the test of that attack.
  await everything.catch(() => {});
  return found;
}

function isOf({ detector, entity }: Anomaly, attack: LiveAttack): boolean {
  const wanted = Object.entries(attack.entity) as [keyof Entity, unknown][];
  return detector === attack.detector && wanted.every(([field, value]) => entity[field] === value);
}

/** When the recording shows the first packet that matches; NaN where none does. */
function firstPacketMs(file: string, filter: string): number {
  const args = ["-n", "-tt", "-c", "1", "-r", file, filter];
  const line = execFileSync("tcpdump", args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return Number.parseFloat(line) * 1000;
}

describe.each(ATTACKS)("$detector at live speed", (attack) => {
  test(`is told of its own entity within ${attack.withinSeconds} s of the first packet`, () => {
    const { anomaly, foundMs, firstPacketMs: startMs, said } = outcomes.get(attack) as Outcome;
    expect(anomaly?.entity, said).toMatchObject(attack.entity);
    expect((foundMs - startMs) / 1000).toBeLessThan(attack.withinSeconds);
  });
});

test("nobody is accused who attacked nobody and was not attacked", () => {
  const about = told.filter(({ severity, entity }) => {
    const { source, destination } = entity;
    const isHonest = [source, destination].some((host) => host === ATTACKER || host === VICTIM);
    return severity !== "info" && isHonest;
  });
  expect(about.map(({ explanation }) => explanation)).toEqual([]);
});
