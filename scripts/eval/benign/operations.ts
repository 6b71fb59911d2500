// SPDX-License-Identifier: AGPL-3.0-or-later
// What administrators do, and what captures do to traffic.
import { arp, Flag, IpProtocol, icmp, packet } from "../../fixtures/frames.ts";
import { httpGet, httpOk } from "../../fixtures/messages.ts";
import type { Scene } from "../../fixtures/scene.ts";
import {
  type BenignStory,
  binary,
  ephemeral,
  every,
  far,
  GATEWAY,
  home,
  lookUp,
  silent,
  stream,
  tls,
} from "./network.ts";

export const operationStories: readonly BenignStory[] = [
  { name: "capture that sees what clients send only", tell: (scene) => oneSided(scene, "client") },
  { name: "capture that sees what servers send only", tell: (scene) => oneSided(scene, "server") },
  { name: "quiet host that begins to work after 11 min", tell: (scene) => quietThenBusy(scene) },
  {
    name: "office in which a download of 6 min begins",
    tell: (scene) => officeThenDownload(scene),
  },
  {
    name: "monitor that pings 100 hosts, some of them down",
    tell: (scene) => {
      every(scene, { seconds: 60, perSecond: 20 }, (atUs, index) => {
        const target = home(100 + (index % 100));
        if (index % 100 < 15) {
          scene.frame(
            atUs,
            packet(home(10), target, IpProtocol.ICMP, icmp(8, 0, index, Buffer.alloc(48))),
          );
        } else scene.ping(atUs, home(10), target, index & 0xffff);
      });
      for (let probe = 0; probe < 30; probe++) {
        scene.datagram(probe * 50_000, home(5), far(77), 40_000, 33_434 + probe, Buffer.alloc(24));
      }
    },
  },
  {
    name: "iperf over UDP, and over 32 connections",
    tell: (scene) => {
      binary(scene, 0, { client: home(5), server: home(6), port: 5201 }, [
        ["client", 37],
        ["server", 1],
        ["client", 100],
        ["server", 300],
      ]);
      stream(
        scene,
        { client: home(5), server: home(6), port: 5201 },
        { from: 1, seconds: 6, up: 6000, down: 0, bytes: 1400 },
      );
      for (let connection = 0; connection < 32; connection++) uploading(scene, connection);
    },
  },
  {
    name: "virtual machines that move, and a virtual address",
    tell: (scene) => {
      for (let number = 1; number <= 12; number++) {
        const machine = home(100 + number);
        for (let time = 0; time < 5; time++)
          scene.frame(number * 1e6 + time * 200_000, arp(2, machine, machine));
      }
      for (let address = 1; address <= 10; address++) {
        const [one, other] = [
          { mac: home(2).mac, ip: `10.20.1.${address}` },
          { mac: home(3).mac, ip: `10.20.1.${address}` },
        ];
        scene.resolve(2e6 + address * 1000, home(9), one);
        for (let time = 0; time < 2; time++)
          scene.frame(20e6 + time * 1e6 + address * 100, arp(2, other, other));
      }
    },
  },
  {
    name: "port knocking, and a monitor of 20 ports",
    tell: (scene) => {
      every(scene, { seconds: 180, perSecond: 1 / 30 }, (atUs) => {
        for (const [at, port] of [7000, 8000, 9000].entries()) {
          const flags = Flag.SYN;
          scene.segment(atUs + at * 100_000, far(5), home(11), {
            from: ephemeral(scene),
            to: port,
            flags,
            sequence: 1,
          });
        }
        binary(scene, atUs + 500_000, { client: far(5), server: home(11), port: 22 }, [
          ["server", 40],
          ["client", 40],
          ["server", 9000],
        ]);
      });
      every(scene, { seconds: 180, perSecond: 0.5 }, (atUs, index) => {
        const talk = {
          client: home(10),
          server: home(12),
          port:
            [
              22, 25, 80, 110, 143, 443, 465, 587, 993, 995, 3306, 5432, 6379, 8080, 8443, 9090,
              9200, 11_211, 27_017, 3000,
            ][index % 20] ?? 80,
        };
        if (index % 20 >= 17)
          scene.refused(atUs, talk.client, talk.server, ephemeral(scene), talk.port);
        else binary(scene, atUs, talk, [["server", 40]]);
      });
    },
  },
  {
    name: "router that drops everything to a firewalled subnet",
    tell: (scene) =>
      every(scene, { seconds: 60, perSecond: 0.5 }, (atUs, index) => {
        silent(scene, atUs, { client: home(5), server: home(300 + (index % 6)), port: 445 });
        tls(scene, atUs, { client: home(5), server: far(50 + (index % 9)), port: 443 });
      }),
  },
];

/** Browsing of thirty people, of which one direction is captured. */
function oneSided(scene: Scene, side: "client" | "server"): void {
  every(scene, { seconds: 30, perSecond: 30 }, (atUs, index) => {
    const [client, server] = [home(1 + (index % 30)), far(60 + ((index * 7) % 90))];
    const from = ephemeral(scene);
    const [mine, other] = side === "client" ? [client, server] : [server, client];
    const ports = side === "client" ? { from, to: 443 } : { from: 443, to: from };
    const send = (afterUs: number, flags: number, length = 0): void =>
      scene.segment(
        atUs + afterUs,
        mine,
        other,
        { ...ports, flags, sequence: afterUs, acknowledgment: 1 },
        Buffer.alloc(length, 0x17),
      );
    send(0, side === "client" ? Flag.SYN : Flag.SYN | Flag.ACK);
    if (side === "client") send(20_000, Flag.ACK);
    for (let part = 0; part < 6; part++)
      send(21_000 + part * 20_000, Flag.ACK | Flag.PSH, side === "client" ? 200 : 1400);
    send(200_000, Flag.FIN | Flag.ACK);
    send(220_000, Flag.ACK);
  });
}

function work(scene: Scene, from: number, seconds: number): void {
  every(scene, { from, seconds, perSecond: 3 }, (atUs, index) => {
    lookUp(scene, atUs, home(5), `www.site${index % 30}.example`);
    tls(
      scene,
      atUs + 30_000,
      { client: home(5), server: far(60 + (index % 30)), port: 443 },
      { down: 30_000 },
    );
    scene.ping(atUs, home(5), GATEWAY, index);
    const exchanges = [
      { from: "client", data: httpGet("intranet.example", "/") },
      { from: "server", data: httpOk(5000) },
    ] as const;
    scene.session(atUs + 100_000, {
      client: home(5),
      server: home(80),
      clientPort: ephemeral(scene),
      serverPort: 80,
      exchanges,
    });
  });
  stream(
    scene,
    { client: home(5), server: far(90), port: 443 },
    { from, seconds, up: 30, down: 120, bytes: 1200 },
  );
}

function quietThenBusy(scene: Scene): void {
  every(scene, { seconds: 660, perSecond: 0.2 }, (atUs, index) => {
    scene.resolve(atUs, home(5), GATEWAY);
    if (index % 4 === 0) lookUp(scene, atUs, home(5), "time.example.com");
  });
  work(scene, 660, 60);
}

/** Twenty requests a second, and then one transfer of ten times as many packets. */
function officeThenDownload(scene: Scene): void {
  every(scene, { seconds: 1080, perSecond: 1 }, (atUs, index) =>
    tls(
      scene,
      atUs,
      { client: home(1 + (index % 20)), server: far(60 + (index % 30)), port: 443 },
      { down: 9000 },
    ),
  );
  const client = home(3);
  const [server, from] = [far(99), ephemeral(scene)];
  const data = Buffer.alloc(1400, 0x17);
  scene.segment(690e6, client, server, { from, to: 443, flags: Flag.SYN, sequence: 1 });
  scene.segment(690.01e6, server, client, {
    from: 443,
    to: from,
    flags: Flag.SYN | Flag.ACK,
    sequence: 1,
  });
  every(scene, { from: 691, seconds: 380, perSecond: 150 }, (atUs, index) => {
    scene.segment(
      atUs,
      server,
      client,
      { from: 443, to: from, flags: Flag.ACK, sequence: 2 + index * 1400 },
      data,
    );
    if (index % 2 === 0)
      scene.segment(atUs + 100, client, server, { from, to: 443, flags: Flag.ACK, sequence: 2 });
  });
}

/** A connection on which the server only acknowledges. */
function uploading(scene: Scene, connection: number): void {
  const [client, server, from] = [home(5), home(6), 50_000 + connection];
  const atUs = 8e6 + connection * 1000;
  scene.segment(atUs, client, server, { from, to: 5201, flags: Flag.SYN, sequence: 1 });
  scene.segment(atUs + 200, server, client, {
    from: 5201,
    to: from,
    flags: Flag.SYN | Flag.ACK,
    sequence: 1,
    acknowledgment: 2,
  });
  every(scene, { from: 8.1, seconds: 14, perSecond: 20 }, (time, index) => {
    scene.segment(
      time,
      client,
      server,
      { from, to: 5201, flags: Flag.ACK, sequence: 2 + index * 1400, acknowledgment: 2 },
      Buffer.alloc(1400, 0x31),
    );
    scene.segment(time + 150, server, client, {
      from: 5201,
      to: from,
      flags: Flag.ACK,
      sequence: 2,
      acknowledgment: 2 + (index + 1) * 1400,
    });
  });
}
