// SPDX-License-Identifier: AGPL-3.0-or-later
// Stories of what hides in ordinary traffic, and of machines that do more than one thing.
import { synScan } from "../../../scripts/fixtures/attacks.ts";
import type { Host } from "../../../scripts/fixtures/frames.ts";
import { ATTACKER, CLIENT, GATEWAY, SERVER } from "../../../scripts/fixtures/hosts.ts";
import {
  applicationData,
  clientHello,
  httpOk,
  serverHello,
} from "../../../scripts/fixtures/messages.ts";
import type { Exchange, Scene } from "../../../scripts/fixtures/scene.ts";
import { client, server } from "../../../scripts/fixtures/talks.ts";
import { connect, DAY, echo, evenly, MINUTE, quiet, SECOND, stranger } from "./office.ts";
import type { Story } from "./story.ts";

const OUTSIDE = stranger(9);
const METADATA: Host = { mac: GATEWAY.mac, ip: "169.254.169.254" };
const TWO_MEGABYTES = 2e6;

export const covert: readonly Story[] = [
  {
    detector: "icmp_tunnel",
    attack: "pings whose data is ever new, and never as long as that of the ones before",
    attacks: (scene) => tunnelByPing(scene, 0, ATTACKER),
    harmless: "a ping every second, as long as the one before",
    behaves: (scene) => evenly(60, 1, (atUs, index) => scene.ping(atUs, CLIENT, OUTSIDE, index)),
  },
  {
    detector: "beacon",
    attack: "a program that calls home every half a minute, with a jitter of ten percent",
    attacks: (scene) =>
      evenly(1, 20, (_, number) =>
        callHome(scene, number * 30 * SECOND + scene.random(3 * SECOND), number),
      ),
    harmless: "a person who comes back to one site whenever it suits",
    behaves: (scene) => {
      let atUs = 0;
      evenly(1, 20, (_, number) => {
        atUs += (4 + scene.random(120)) * SECOND;
        callHome(scene, atUs, number);
      });
    },
  },
  {
    detector: "exfiltration",
    settings: { exfiltration: { bytes: TWO_MEGABYTES } },
    attack: "three megabytes that one machine uploads, on a network where two are much",
    attacks: (scene) => transfer(scene, "client"),
    harmless: "a download of as much",
    behaves: (scene) => transfer(scene, "server"),
  },
  {
    detector: "unusual_port",
    attack: "SSH on the port of HTTPS",
    attacks: (scene) => connect(scene, 0, { ...ends(OUTSIDE, 443), number: 1 }, secureShell()),
    harmless: "SSH on a port that is nobody else's",
    behaves: (scene) => connect(scene, 0, { ...ends(OUTSIDE, 2222), number: 1 }, secureShell()),
  },
  {
    detector: "metadata_access",
    attack: "a machine that asks for its cloud's credentials, which it never did in two days",
    attacks: (scene) => {
      quiet(scene, 2 * DAY);
      connect(scene, 2 * DAY + MINUTE, { ...ends(METADATA, 80), number: 1 }, credentials());
    },
    harmless: "one that does so every day",
    behaves: (scene) => {
      quiet(scene, 2 * DAY);
      evenly(1, 3, (_, day) =>
        connect(scene, day * DAY + MINUTE, { ...ends(METADATA, 80), number: day }, credentials()),
      );
    },
  },
  {
    detector: "multi_signal",
    attack: "one machine that scans a server and then opens a tunnel to it",
    attacks: (scene) => {
      scan(scene, ATTACKER);
      tunnelByPing(scene, 10 * SECOND, ATTACKER);
    },
    harmless: "a machine that pings a server and then looks at three of its ports",
    behaves: (scene) => {
      evenly(30, 1, (atUs, index) => scene.ping(atUs, ATTACKER, SERVER, index));
      for (const port of [22, 80, 443]) {
        scene.refused(port * 1000, ATTACKER, SERVER, 50_000 + port, port);
      }
    },
  },
];

function ends(host: Host, port: number): { client: Host; server: Host; port: number } {
  return { client: CLIENT, server: host, port };
}

function scan(scene: Scene, attacker: Host): void {
  const about = { ports: 60, perSecond: 30, open: [22] };
  synScan(scene, 0, { attacker, victim: SERVER, ...about });
}

/** Requests and replies of other lengths, and with other data, each time. */
function tunnelByPing(scene: Scene, fromUs: number, from: Host): void {
  const data = (): Buffer => Buffer.alloc(60 + scene.random(1000), scene.random(256));
  evenly(
    ...([20, 2] as const),
    (atUs, sequence) => {
      echo(scene, atUs, [from, SERVER], { isReply: false, sequence, data: data() });
      echo(scene, atUs + 900, [SERVER, from], { isReply: true, sequence, data: data() });
    },
    fromUs,
  );
}

/** A short TLS connection. */
function callHome(scene: Scene, atUs: number, number: number): void {
  connect(scene, atUs, { ...ends(OUTSIDE, 443), number }, [
    client(clientHello(scene.random, { serverName: "cdn.example.net", tls13: true })),
    server(serverHello(scene.random)),
    client(applicationData(180)),
    server(applicationData(90)),
  ]);
}

/** Three megabytes over one connection, which `from` sends. */
function transfer(scene: Scene, from: Exchange["from"]): void {
  const data = applicationData(16_000);
  const records = Array.from({ length: (1.5 * TWO_MEGABYTES) / data.length }, () => ({
    from,
    data,
  }));
  connect(scene, 0, { ...ends(OUTSIDE, 443), number: 7 }, [
    client(clientHello(scene.random, { serverName: "drop.example.net", tls13: true })),
    server(serverHello(scene.random)),
    ...records,
  ]);
}

function secureShell(): readonly Exchange[] {
  return [server("SSH-2.0-OpenSSH_9.2\r\n"), client("SSH-2.0-OpenSSH_9.2\r\n")];
}

/** What a server-side request forgery asks for (IMDSv1, without a token). */
function credentials(): readonly Exchange[] {
  const path = "/latest/meta-data/iam/security-credentials/";
  return [client(`GET ${path} HTTP/1.1\r\nHost: ${METADATA.ip}\r\n\r\n`), server(httpOk(20))];
}
