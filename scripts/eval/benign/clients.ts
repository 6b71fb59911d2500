// SPDX-License-Identifier: AGPL-3.0-or-later
// What people's machines do.
import { randomBytes } from "../../fixtures/bytes.ts";
import { arp, Flag, IpProtocol, packet, udp } from "../../fixtures/frames.ts";
import {
  applicationData,
  clientHello,
  DnsType,
  dnsQuery,
  serverHello,
} from "../../fixtures/messages.ts";
import type { Scene } from "../../fixtures/scene.ts";
import {
  type BenignStory,
  binary,
  ephemeral,
  every,
  far,
  home,
  lookUp,
  SECOND_US,
  silent,
  stream,
  tls,
} from "./network.ts";

export const clientStories: readonly BenignStory[] = [
  {
    name: "video call, webinar and game",
    tell: (scene) => {
      stream(
        scene,
        { client: home(5), server: far(1), port: 8801 },
        { seconds: 30, up: 110, down: 350, bytes: 900 },
      );
      stream(
        scene,
        { client: home(6), server: far(2), port: 19_302 },
        { seconds: 30, up: 1, down: 400, bytes: 1100 },
      );
      stream(
        scene,
        { client: home(7), server: far(3), port: 27_015 },
        { seconds: 30, up: 64, down: 64, bytes: 90 },
      );
      stream(
        scene,
        { client: home(8), server: far(4), port: 51_820 },
        { seconds: 30, up: 200, down: 600, bytes: 1300 },
      );
    },
  },
  {
    name: "backup into the cloud, 40 MB",
    tell: (scene) => {
      for (let part = 0; part < 20; part++) {
        tls(
          scene,
          part * 1.5e6,
          { client: home(5), server: far(9), port: 443 },
          { up: 2e6, down: 400 },
        );
      }
    },
  },
  { name: "torrent client", tell: torrent },
  {
    name: "software update of 100 hosts",
    tell: (scene) => {
      for (let host = 1; host <= 100; host++) {
        const atUs = scene.random(20 * SECOND_US);
        lookUp(scene, atUs, home(host), "download.updates.example.com");
        for (let part = 0; part < 6; part++) {
          const talk = { client: home(host), server: far(20 + (part & 1)), port: 443 };
          tls(scene, atUs + 30_000 + part * 400_000, talk, { down: 60_000 });
        }
      }
    },
  },
  {
    name: "mail clients that look every minute, 25 min",
    tell: (scene) => {
      for (let host = 1; host <= 2; host++) {
        every(scene, { seconds: 1500, perSecond: 1 / 60 }, (atUs) => {
          const talk = { client: home(host), server: far(30 + host), port: host === 1 ? 993 : 995 };
          tls(scene, atUs % (60 * SECOND_US) < 0 ? 0 : atUs, talk, { down: 700 });
        });
      }
    },
  },
  {
    name: "web crawler",
    tell: (scene) =>
      every(scene, { seconds: 40, perSecond: 25 }, (atUs, index) => {
        const talk = { client: home(5), server: far(100 + (index % 400)), port: 443 };
        lookUp(scene, atUs - 5000, home(5), `www.site${index % 400}.example`);
        if (index % 12 === 0) silent(scene, atUs, { ...talk, server: far(3000 + index) });
        else tls(scene, atUs, talk, { down: 20_000 });
      }),
  },
  { name: "laptop that wakes up", tell: wakingLaptop },
  {
    name: "uplink that is gone for two minutes",
    tell: (scene) => {
      for (let host = 1; host <= 15; host++) {
        every(scene, { seconds: 60, perSecond: 1 }, (atUs, index) =>
          tls(scene, atUs, {
            client: home(host),
            server: far(200 + ((index * 7 + host) % 60)),
            port: 443,
          }),
        );
        every(scene, { from: 60, seconds: 120, perSecond: 0.5 }, (atUs, index) =>
          silent(scene, atUs, {
            client: home(host),
            server: far(400 + index * 3 + host),
            port: 443,
          }),
        );
      }
    },
  },
  { name: "sixty hosts that discover each other", tell: discovery },
  {
    name: "short commands over SSH",
    tell: (scene) =>
      every(scene, { seconds: 120, perSecond: 0.4 }, (atUs, index) =>
        binary(
          scene,
          atUs,
          { client: home(5), server: home(40 + (index % 2)), port: 22 },
          SSH_COMMAND,
        ),
      ),
  },
];

/** Lengths of a log-in by key and one command, as OpenSSH sends them. */
const SSH_COMMAND = [
  ...([
    ["server", 40],
    ["client", 40],
    ["server", 1080],
    ["client", 1500],
    ["client", 48],
  ] as const),
  ...([
    ["server", 564],
    ["client", 16],
    ["client", 44],
    ["server", 44],
    ["client", 68],
  ] as const),
  ...([
    ["server", 52],
    ["client", 500],
    ["server", 500],
    ["client", 650],
    ["server", 28],
  ] as const),
  ...([
    ["server", 712],
    ["client", 112],
    ["server", 44],
    ["client", 200],
    ["server", 108],
  ] as const),
  ...([
    ["server", 180],
    ["client", 100],
  ] as const),
];

function torrent(scene: Scene): void {
  const client = home(5);
  every(scene, { seconds: 60, perSecond: 6 }, (atUs, index) => {
    const talk = { client, server: far(1000 + index), port: 1024 + scene.random(64_000) };
    const luck = scene.random(100);
    if (luck < 45) silent(scene, atUs, talk);
    else if (luck < 57) scene.refused(atUs, client, talk.server, ephemeral(scene), talk.port);
    else
      binary(scene, atUs, talk, [
        ["client", 68],
        ["server", 68],
        ["client", 400],
        ["server", 9000],
      ]);
  });
  every(scene, { seconds: 60, perSecond: 40 }, (atUs, index) => {
    const node = far(5000 + index);
    const port = 1024 + scene.random(64_000);
    const data = Buffer.from("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe");
    scene.datagram(atUs, client, node, 51_413, port, data);
    if (scene.random(2) === 0) scene.datagram(atUs + 80_000, node, client, port, 51_413, data);
  });
  // Nodes go on asking for a client that has left.
  every(scene, { from: 60, seconds: 20, perSecond: 40 }, (atUs, index) =>
    scene.datagram(
      atUs,
      far(9000 + index),
      client,
      1024 + scene.random(64_000),
      51_413,
      randomBytes(scene.random, 100),
    ),
  );
}

/** Connections that died while it slept: their servers know nothing of them any more. */
function wakingLaptop(scene: Scene): void {
  const client = home(5);
  for (let connection = 0; connection < 30; connection++) {
    const server = far(600 + connection);
    const from = ephemeral(scene);
    const atUs = SECOND_US + scene.random(4 * SECOND_US);
    const segment = { from, to: 443, flags: Flag.ACK | Flag.PSH, sequence: 1, acknowledgment: 1 };
    scene.segment(atUs, client, server, segment, applicationData(40));
    scene.segment(atUs + 20_000, server, client, {
      from: 443,
      to: from,
      flags: Flag.RST,
      sequence: 1,
    });
    tls(scene, atUs + 60_000, { client, server, port: 443 });
  }
}

/** mDNS, SSDP, WS-Discovery and LLMNR to everybody, and ARP for who is there. */
function discovery(scene: Scene): void {
  for (let number = 1; number <= 60; number++) {
    const host = home(number);
    const atUs = scene.random(5 * SECOND_US);
    scene.frame(atUs, arp(1, host, { mac: "", ip: host.ip }));
    scene.frame(atUs + 2000, arp(1, host, { mac: "", ip: "10.20.0.1" }));
    for (const [group, port] of [
      ["224.0.0.251", 5353],
      ["239.255.255.250", 1900],
      ["239.255.255.250", 3702],
      ["224.0.0.252", 5355],
    ] as const) {
      const to = { mac: "01:00:5e:00:00:fb", ip: group };
      for (let time = 0; time < 8; time++) {
        const query = dnsQuery(0, `_service${time}._tcp.local`, DnsType.PTR);
        const datagram = udp(host, to, port === 5353 ? 5353 : 50_000 + time, port, query);
        scene.frame(atUs + 5000 + time * 400_000, packet(host, to, IpProtocol.UDP, datagram));
      }
    }
  }
  for (let number = 1; number <= 60; number++)
    scene.resolve(6e6 + number * 40_000, home(number), home(((number * 7) % 60) + 1));
  const exchanges = [
    { from: "client", data: clientHello(scene.random, { serverName: "tv.local", tls13: true }) },
    { from: "server", data: serverHello(scene.random) },
  ] as const;
  for (let number = 1; number <= 30; number++) {
    scene.session(9e6 + number * 100_000, {
      ...{
        client: home(1),
        server: home(number + 1),
        clientPort: ephemeral(scene),
        serverPort: 8009,
      },
      exchanges,
    });
  }
}
