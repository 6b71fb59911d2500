// SPDX-License-Identifier: AGPL-3.0-or-later
// Channels against the programs people run: rsyslog and Alertmanager of Debian, as plain processes on loopback.
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Notifier } from "../../src/alert/alert.ts";
import { channelSettings, createChannels } from "../../src/notify/all.ts";
import { alertOf, anomalyOf } from "../support/anomalies.ts";
import { Authority } from "../support/certificates.ts";
import { skipAloud } from "../support/skip-aloud.ts";
import { hasTool } from "../support/tool.ts";

const never = new AbortController().signal;
const folder = mkdtempSync(join(tmpdir(), "nam-services-"));
const running: ChildProcess[] = [];
afterAll(async () => {
  for (const child of running) {
    const ended = child.exitCode === null ? once(child, "exit") : undefined;
    child.kill("SIGKILL");
    await ended;
  }
  rmSync(folder, { recursive: true });
});

function start(program: string, args: readonly string[]): void {
  running.push(spawn(program, args, { cwd: folder, stdio: "ignore" }));
}

function channel(settings: object): Notifier {
  const options = { log: pino({ level: "silent" }), stealth: false };
  const [made] = createChannels(channelSettings.parse([settings]), options);
  if (!made) throw new Error("no channel");
  return made.notifier;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  return port;
}

/** Debian keeps rsyslog's modules in the folder of the architecture. */
function hasGtls(): boolean {
  const isThere = readdirSync("/usr/lib").some((name) =>
    existsSync(`/usr/lib/${name}/rsyslog/lmnsd_gtls.so`),
  );
  return isThere || skipAloud("rsyslog has no TLS: install the Debian package rsyslog-gnutls");
}

describe.runIf(hasTool("rsyslogd", "rsyslog") && hasGtls())("rsyslog", () => {
  const output = join(folder, "rsyslog.out");
  const ports = { udp: 0, tcp: 0, tls: 0 };
  let caFile = "";

  beforeAll(async () => {
    const authority = new Authority(folder, "syslog-authority");
    const server = authority.issue("collector", ["IP:127.0.0.1"]);
    caFile = authority.root.certFile;
    Object.assign(ports, {
      udp: await freeUdpPort(),
      tcp: await freePort(),
      tls: await freePort(),
    });
    const fields = ["pri", "hostname", "app-name", "msgid", "structured-data", "msg"];
    const config = `
global(workDirectory="${folder}" defaultNetstreamDriverCAFile="${caFile}"
  defaultNetstreamDriverCertFile="${server.certFile}" defaultNetstreamDriverKeyFile="${server.keyFile}")
module(load="imudp")
module(load="imtcp")
template(name="out" type="string" string="%inputname%\t${fields.map((field) => `%${field}%`).join("\t")}\n")
input(type="imudp" address="127.0.0.1" port="${ports.udp}" name="udp")
input(type="imtcp" address="127.0.0.1" port="${ports.tcp}" name="tcp")
input(type="imtcp" address="127.0.0.1" port="${ports.tls}" name="tls"
  streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
action(type="omfile" file="${output}" template="out")
`;
    const path = join(folder, "rsyslog.conf");
    writeFileSync(path, config);
    start("rsyslogd", ["-n", "-f", path, "-i", join(folder, "rsyslog.pid")]);
    await vi.waitFor(
      async () => {
        const notifier = syslog("tcp");
        expect(await notifier.send(alertOf({ anomalies: [], test: true }), never)).toMatchObject({
          outcome: "delivered",
        });
      },
      { timeout: 20_000, interval: 100 },
    );
  }, 30_000);

  function syslog(transport: "udp" | "tcp" | "tls", changes: object = {}): Notifier {
    const tls = transport === "tls" ? { ca_file: caFile } : {};
    const port = ports[transport];
    return channel({ type: "syslog", host: "127.0.0.1", port, transport, ...tls, ...changes });
  }

  async function lineWith(mark: string): Promise<string[]> {
    const line = await vi.waitFor(
      () => {
        const found = readFileSync(output, "utf8")
          .split("\n")
          .find((text) => text.includes(mark));
        if (!found) throw new Error("not there yet");
        return found;
      },
      { timeout: 10_000, interval: 50 },
    );
    return line.split("\t");
  }

  it.each(["udp", "tcp", "tls"] as const)(
    "reads what is sent over %s, all of it",
    async (transport) => {
      const id = `incident-${transport}`;
      const anomaly = anomalyOf({ id, explanation: 'ä "quoted" ] \\ back' });
      const alert = alertOf({ anomalies: [anomaly] });
      expect(await syslog(transport).send(alert, never)).toMatchObject({ outcome: "delivered" });
      const [input, pri, host, app, msgid, data, message = ""] = await lineWith(id);
      expect([input, pri, host, app, msgid]).toEqual([
        transport,
        "162",
        "host-a",
        "nam",
        "port_scan",
      ]);
      expect(data).toBe(
        `[nam@32473 incident="${id}" detector="port_scan" severity="critical" state="open" entity="10.0.0.5"]`,
      );
      expect(JSON.parse(message)).toMatchObject({ id, explanation: anomaly.explanation });
    },
  );

  it("reads CEF", async () => {
    const anomaly = anomalyOf({ id: "incident-cef", explanation: "a=b|c \\ d" });
    await syslog("tcp", { content: "cef" }).send(alertOf({ anomalies: [anomaly] }), never);
    const message = (await lineWith("incident-cef")).at(-1);
    expect(message).toMatch(
      /^ ?CEF:0\|network-anomaly-monitor\|nam\|[^|]+\|port_scan\|port scan\|9\|rt=\d+ .*src=10\.0\.0\.5/,
    );
  });

  it("is not trusted over TLS where nobody vouches for it", async () => {
    const notifier = syslog("tls", { ca_file: undefined });
    expect(await notifier.send(alertOf(), never)).toMatchObject({ outcome: "retry" });
  });
});

describe.runIf(hasTool("prometheus-alertmanager"))("Alertmanager", () => {
  let base = "";
  beforeAll(async () => {
    const port = await freePort();
    base = `http://127.0.0.1:${port}`;
    const config = join(folder, "alertmanager.yml");
    writeFileSync(config, "route: { receiver: none }\nreceivers: [{ name: none }]\n");
    start("prometheus-alertmanager", [
      `--config.file=${config}`,
      `--storage.path=${join(folder, "alertmanager")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--cluster.listen-address=",
    ]);
    await vi.waitFor(async () => expect((await fetch(`${base}/-/ready`)).status).toBe(200), {
      timeout: 20_000,
      interval: 100,
    });
  }, 30_000);

  async function active(): Promise<unknown> {
    return (await fetch(`${base}/api/v2/alerts?active=true`)).json();
  }

  it("holds an alert while it is open, and lets go of it when it is over", async () => {
    const notifier = channel({ type: "alertmanager", urls: [base] });
    const nowSeconds = Date.now() / 1_000;
    const anomaly = anomalyOf({ first_seen: nowSeconds - 12, time: nowSeconds });
    expect(await notifier.send(alertOf({ anomalies: [anomaly] }), never)).toMatchObject({
      outcome: "delivered",
    });
    expect(await active()).toMatchObject([
      {
        labels: { alertname: "NamDirectPortScan", severity: "critical", instance: "host-a" },
        annotations: { summary: anomaly.explanation },
      },
    ]);
    const over = { ...anomaly, state: "resolved" } as const;
    await notifier.send(alertOf({ state: "resolved", anomalies: [over] }), never);
    expect(await active()).toEqual([]);
    await notifier.close?.();
  });
});
