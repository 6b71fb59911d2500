// SPDX-License-Identifier: AGPL-3.0-or-later
// What machines in racks do.
import {
  DnsType,
  dnsAnswer,
  dnsQuery,
  httpGet,
  httpOk,
  NXDOMAIN,
  ntp,
} from "../../fixtures/messages.ts";
import type { Scene } from "../../fixtures/scene.ts";
import {
  type BenignStory,
  binary,
  converse,
  ephemeral,
  every,
  far,
  GATEWAY,
  home,
  http,
  SECOND_US,
  silent,
  stream,
  type Talk,
  tls,
} from "./network.ts";

export const serverStories: readonly BenignStory[] = [
  {
    name: "health checks of a cluster, 6 min",
    tell: (scene) => {
      const ports = [3000, 5000, 7070, 8081, 8443, 9000, 10_254, 15_021];
      for (const [at, port] of ports.entries()) {
        every(scene, { from: at / 10, seconds: 360, perSecond: 0.1 }, (atUs) =>
          http(scene, atUs, { client: home(10), server: home(100 + at), port }, 60),
        );
      }
      for (let server = 0; server < 2; server++) {
        every(scene, { seconds: 360, perSecond: 0.2 }, (atUs) =>
          http(scene, atUs, { client: GATEWAY, server: home(80 + server), port: 80 }, 60),
        );
      }
    },
  },
  {
    name: "Prometheus that scrapes 120 targets, some of them down",
    tell: (scene) =>
      every(scene, { seconds: 120, perSecond: 8 }, (atUs, index) => {
        const target = index % 120;
        const talk = { client: home(10), server: home(100 + target), port: 9100 };
        if (target % 12 === 0)
          scene.refused(atUs, talk.client, talk.server, ephemeral(scene), 9100);
        else http(scene, atUs, talk, 9000);
      }),
  },
  { name: "web server that restarts under load", tell: restart },
  {
    name: "reverse proxy with a connection for each request",
    tell: (scene) =>
      every(scene, { seconds: 15, perSecond: 150 }, (atUs) =>
        http(scene, atUs, { client: home(10), server: home(11), port: 8080 }, 900),
      ),
  },
  {
    name: "application that opens a database connection for each request",
    tell: (scene) =>
      every(scene, { seconds: 15, perSecond: 130 }, (atUs) =>
        binary(scene, atUs, { client: home(11), server: home(12), port: 5432 }, [
          ["client", 90],
          ["server", 400],
          ["client", 200],
          ["server", 900],
        ]),
      ),
  },
  { name: "mail server", tell: mailServer },
  {
    name: "log and metric messages that nobody answers",
    tell: (scene) => {
      const data = Buffer.from(
        "<134>Jan  5 09:00:00 web01 app[123]: request done in 12 ms status=200",
      );
      every(scene, { seconds: 15, perSecond: 350 }, (atUs, index) =>
        scene.datagram(atUs, home(20 + (index % 12)), home(9), ephemeral(scene), 514, data),
      );
      every(scene, { seconds: 15, perSecond: 400 }, (atUs) =>
        scene.datagram(
          atUs,
          home(11),
          home(8),
          ephemeral(scene),
          8125,
          Buffer.from("app.requests:1|c"),
        ),
      );
      stream(
        scene,
        { client: GATEWAY, server: home(7), port: 2055 },
        { seconds: 15, up: 300, down: 0, bytes: 1300 },
      );
    },
  },
  { name: "DNS resolver of thousands of clients", tell: resolver },
  {
    name: "SNMP poller that walks tables",
    tell: (scene) =>
      every(scene, { seconds: 15, perSecond: 200 }, (atUs, index) => {
        const [poller, device] = [home(10), home(100 + (index % 80))];
        const port = 40_000 + (index % 80);
        scene.datagram(atUs, poller, device, port, 161, snmp(90));
        scene.datagram(atUs + 3000, device, poller, 161, port, snmp(1300));
      }),
  },
  {
    name: "NTP server of a pool",
    tell: (scene) =>
      every(scene, { seconds: 15, perSecond: 500 }, (atUs, index) => {
        const [client, port] = [far(20_000 + index), ephemeral(scene)];
        scene.datagram(atUs, client, home(12), port, 123, ntp(3));
        scene.datagram(atUs + 300, home(12), client, 123, port, ntp(4));
      }),
  },
  {
    name: "telephone exchange with 25 calls",
    tell: (scene) => {
      for (let call = 0; call < 25; call++) {
        const talk = {
          client: home(100 + call),
          server: home(10),
          port: 10_000 + 2 * call,
          clientPort: 4000,
        };
        stream(scene, talk, { seconds: 12, up: 50, down: 50, bytes: 172 });
      }
    },
  },
  {
    name: "load balancer that checks a dead server",
    tell: (scene) => {
      every(scene, { seconds: 90, perSecond: 0.5 }, (atUs) =>
        scene.refused(atUs, home(10), home(11), ephemeral(scene), 8080),
      );
      every(scene, { seconds: 90, perSecond: 0.5 }, (atUs) =>
        http(scene, atUs, { client: home(10), server: home(12), port: 8080 }),
      );
    },
  },
  {
    name: "one address for a thousand customers",
    tell: (scene) => {
      every(scene, { seconds: 20, perSecond: 120 }, (atUs, index) => {
        const talk = {
          client: far(7),
          server: home(200 + (index % 50)),
          port: index % 3 ? 443 : 80,
        };
        if (index % 40 === 0) silent(scene, atUs, { ...talk, server: home(400 + (index % 80)) });
        else tls(scene, atUs, talk, { down: 2500 });
      });
      every(scene, { seconds: 20, perSecond: 0.5 }, (atUs) =>
        binary(scene, atUs, { client: far(7), server: home(60), port: 22 }, [
          ["server", 1100],
          ["client", 1500],
          ["server", 900],
          ["client", 900],
          ["server", 60_000],
        ]),
      );
    },
  },
];

/** At 20 s, when it is new to the agent, and at 120 s, when it is known: five seconds of refusals each. */
function restart(scene: Scene): void {
  every(scene, { seconds: 140, perSecond: 60 }, (atUs, index) => {
    const second = Math.floor(atUs / SECOND_US);
    const client = far(40 + ((index * 7) % 300));
    const isDown = (second >= 20 && second < 25) || (second >= 120 && second < 125);
    if (!isDown) http(scene, atUs, { client, server: home(11), port: 80 }, 500);
    // Who is refused tries again.
    else
      for (let time = 0; time < 3; time++)
        scene.refused(atUs + 300_000 * time, client, home(11), ephemeral(scene), 80);
  });
}

function mailServer(scene: Scene): void {
  const server = home(25);
  every(scene, { seconds: 60, perSecond: 6 }, (atUs, index) => {
    const talk = { client: server, server: far(700 + index), port: 25 };
    const luck = scene.random(100);
    if (luck < 15) silent(scene, atUs, talk);
    else if (luck < 25) scene.refused(atUs, server, talk.server, ephemeral(scene), 25);
    else
      binary(scene, atUs, talk, [
        ["server", 60],
        ["client", 30],
        ["server", 180],
        ["client", 4000],
        ["server", 60],
      ]);
    const sender = far(9000 + index);
    binary(scene, atUs + 20_000, { client: sender, server, port: 25 }, [
      ["server", 60],
      ["client", 30],
      ["server", 150],
      ["client", 30],
      ["server", 60],
    ]);
    const list = `${index % 250}.${(index * 7) % 250}.18.198.bl.mailblocklist.example`;
    scene.lookUp(
      atUs + 25_000,
      server,
      GATEWAY,
      { name: list, type: DnsType.A },
      { records: [], rcode: NXDOMAIN },
    );
    for (const name of [
      `sender${index}.example`,
      `_dmarc.sender${index}.example`,
      `mail2024._domainkey.sender${index}.example`,
    ]) {
      const records = [{ type: DnsType.TXT, data: "v=spf1 include:_spf.mail.example ~all" }];
      scene.lookUp(atUs + 30_000, server, GATEWAY, { name, type: DnsType.TXT }, { records });
    }
  });
}

function resolver(scene: Scene): void {
  const server = home(53);
  every(scene, { seconds: 20, perSecond: 300 }, (atUs, index) => {
    const name = `www${index % 40}.site${(index * 13) % 900}.example`;
    const query = dnsQuery(index & 0xffff, name, DnsType.A);
    const [client, port] = [home(1000 + ((index * 31) % 3000)), ephemeral(scene)];
    const answer = dnsAnswer(
      query,
      [{ type: DnsType.A, data: "198.18.7.7" }],
      index % 9 === 0 ? NXDOMAIN : 0,
    );
    scene.datagram(atUs, client, server, port, 53, query);
    scene.datagram(atUs + 30_000, server, client, 53, port, answer);
    if (index % 3 !== 0) return;
    const [authority, source] = [far(800 + ((index * 13) % 500)), ephemeral(scene)];
    scene.datagram(atUs + 1000, server, authority, source, 53, query);
    if (index % 17 === 0) return;
    const signed = [{ type: DnsType.TXT, data: "s".repeat(index % 2 ? 1000 : 300) }];
    scene.datagram(atUs + 25_000, authority, server, 53, source, dnsAnswer(query, signed));
  });
}

/** The outside of an SNMPv2c message of about this length (RFC 3416). */
function snmp(length: number): Buffer {
  const head = Buffer.from([0x30, 0x82, (length - 4) >> 8, (length - 4) & 255, 2, 1, 1, 4, 6]);
  const message = Buffer.alloc(length, 5);
  head.copy(message);
  message.write("public", head.length);
  message[head.length + 6] = 0xa5;
  return message;
}

/** Requests one after the other on one connection. */
export function keepAlive(scene: Scene, atUs: number, talk: Talk, requests: number): void {
  const exchanges = Array.from({ length: requests }, () => [
    { from: "client" as const, data: httpGet("app.example", "/item") },
    { from: "server" as const, data: httpOk(300), pauseUs: 500 },
  ]).flat();
  converse(scene, atUs, talk, exchanges);
}
