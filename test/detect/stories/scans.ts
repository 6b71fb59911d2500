// SPDX-License-Identifier: AGPL-3.0-or-later
// Stories of those who look for what there is.
import { hostSweep, synScan } from "../../../scripts/fixtures/attacks.ts";
import {
  arp,
  EtherType,
  ethernet,
  Flag,
  type Host,
  IpProtocol,
  icmp,
  ipv4,
  packet,
  tcp,
  udp,
} from "../../../scripts/fixtures/frames.ts";
import { ATTACKER, CLIENT, GATEWAY, SERVER } from "../../../scripts/fixtures/hosts.ts";
import {
  clientHello,
  clientHelloMessage,
  handshakeRecord,
  httpGet,
  serverHello,
} from "../../../scripts/fixtures/messages.ts";
import type { Exchange, Scene } from "../../../scripts/fixtures/scene.ts";
import { client, server } from "../../../scripts/fixtures/talks.ts";
import {
  browse,
  colleague,
  connect,
  echo,
  evenly,
  MINUTE,
  page,
  SECOND,
  stranger,
} from "./office.ts";
import type { Story } from "./story.ts";

const OUTSIDE = stranger(9);
const PING = Buffer.alloc(48, 0x61);

export const scans: readonly Story[] = [
  {
    detector: "port_scan",
    attack: "half-open connections to a hundred ports",
    attacks: (scene) =>
      synScan(scene, 0, {
        ...{ attacker: OUTSIDE, victim: SERVER, ports: 100, perSecond: 50, open: [22, 80] },
      }),
    harmless: "an office that browses, with a few ports that are closed",
    behaves: (scene) =>
      evenly(60, 5, (atUs, index) => {
        browse(scene, atUs, colleague(index % 20), index % 40);
        if (index % 40 === 0)
          scene.refused(atUs, colleague(3), SERVER, 50_000 + index, 8000 + index);
      }),
  },
  {
    detector: "port_scan",
    attack: "datagrams to a hundred ports, refused one by one",
    attacks: (scene) => evenly(10, 10, (atUs, port) => unreachable(scene, atUs, 1 + port)),
    harmless: "a traceroute, which ends at a closed port",
    behaves: (scene) => evenly(3, 1, (atUs, probe) => unreachable(scene, atUs, 33_434 + probe)),
  },
  {
    detector: "port_scan",
    attack: "SYNs in fragments of eight bytes",
    attacks: (scene) =>
      evenly(4, 25, (atUs, index) => {
        const ports = { from: 41_000, to: 1 + index };
        const syn = tcp(OUTSIDE, SERVER, { ...ports, flags: Flag.SYN, sequence: 9 });
        for (let offset = 0; offset < syn.length; offset += 8) {
          const part = syn.subarray(offset, offset + 8);
          const moreFragments = offset + 8 < syn.length;
          const fields = { id: 100 + index, fragmentOffset: offset, moreFragments };
          const datagram = ipv4(OUTSIDE.ip, SERVER.ip, IpProtocol.TCP, part, fields);
          scene.frame(atUs + offset, ethernet(OUTSIDE.mac, SERVER.mac, EtherType.IPV4, datagram));
        }
        const reset = { from: ports.to, to: ports.from, flags: Flag.RST | Flag.ACK };
        scene.segment(atUs + 300, SERVER, OUTSIDE, { ...reset, acknowledgment: 10 });
      }),
    harmless: "large datagrams that are cut into fragments",
    behaves: (scene) =>
      evenly(10, 20, (atUs, index) => {
        const datagram = udp(OUTSIDE, SERVER, 2049, 700, Buffer.alloc(4000, index));
        for (let offset = 0; offset < datagram.length; offset += 1480) {
          const part = datagram.subarray(offset, offset + 1480);
          const moreFragments = offset + 1480 < datagram.length;
          const fields = { id: index, fragmentOffset: offset, moreFragments };
          const whole = ipv4(OUTSIDE.ip, SERVER.ip, IpProtocol.UDP, part, fields);
          scene.frame(atUs + offset / 10, ethernet(OUTSIDE.mac, SERVER.mac, EtherType.IPV4, whole));
        }
      }),
  },
  {
    detector: "host_sweep",
    attack: "one port of a whole network, nobody answers",
    attacks: (scene) =>
      hostSweep(scene, 0, {
        ...{ attacker: OUTSIDE, gateway: GATEWAY, network: "10.20.2", port: 445, perSecond: 50 },
      }),
    harmless: "a program that looks after two hundred machines by SSH",
    behaves: (scene) =>
      evenly(20, 10, (atUs, number) =>
        connect(scene, atUs, { client: ATTACKER, server: colleague(number), port: 22, number }, [
          server("SSH-2.0-OpenSSH_9.2\r\n"),
          client("SSH-2.0-OpenSSH_9.6\r\n"),
          server(Buffer.alloc(9000, 0x11)),
        ]),
      ),
  },
  {
    detector: "stealth_scan",
    attack: "FINs to sixty ports",
    attacks: (scene) =>
      evenly(6, 10, (atUs, port) =>
        scene.segment(atUs, OUTSIDE, SERVER, { from: 41_000, to: 1 + port, flags: Flag.FIN }),
      ),
    harmless: "connections that are ended by FIN and by RST, seen from their end on",
    behaves: (scene) =>
      evenly(30, 10, (atUs, index) => {
        const ends = { from: 20_000 + index, to: 443 };
        const flags = index % 3 === 0 ? Flag.RST | Flag.ACK : Flag.FIN | Flag.ACK;
        scene.segment(atUs, colleague(index % 40), stranger(index % 30), { ...ends, flags });
        connect(
          scene,
          atUs,
          { client: CLIENT, server: SERVER, port: 80, number: index },
          page("/"),
        );
      }),
  },
  {
    detector: "slow_scan",
    attack: "one closed port every four minutes",
    attacks: (scene) =>
      evenly(1, 20, (_, index) =>
        scene.refused(index * 4 * MINUTE, OUTSIDE, SERVER, 50_000 + index, 100 + index * 3),
      ),
    harmless: "a program that tries one service that is down, now and then",
    behaves: (scene) =>
      evenly(1, 20, (_, index) =>
        scene.refused(
          (index * 4 + scene.random(4)) * MINUTE,
          ...([OUTSIDE, SERVER, 50_000 + index, 8443] as const),
        ),
      ),
  },
  {
    detector: "ping_sweep",
    attack: "pings to sixty addresses that nobody has",
    attacks: (scene) =>
      evenly(6, 10, (atUs, sequence) =>
        echo(scene, atUs, [OUTSIDE, colleague(sequence)], { isReply: false, sequence, data: PING }),
      ),
    harmless: "a monitor that pings sixty machines, of which five are off",
    behaves: (scene) =>
      evenly(60, 10, (atUs, sequence) => {
        const to = colleague(sequence % 60);
        if (sequence % 60 >= 5) scene.ping(atUs, ATTACKER, to, sequence);
        else echo(scene, atUs, [ATTACKER, to], { isReply: false, sequence, data: PING });
      }),
  },
  {
    detector: "arp_sweep",
    attack: "questions for a hundred and fifty addresses that nobody has",
    attacks: (scene) =>
      evenly(10, 15, (atUs, index) =>
        scene.frame(atUs, arp(1, ATTACKER, { mac: "", ip: `10.20.9.${1 + index}` })),
      ),
    harmless: "a router that asks for everybody",
    behaves: (scene) =>
      evenly(30, 10, (atUs, index) => {
        const whom = colleague(index % 150);
        if (index % 10 === 0) scene.frame(atUs, arp(1, GATEWAY, { mac: "", ip: whom.ip }));
        else scene.resolve(atUs, GATEWAY, whom);
      }),
  },
  {
    detector: "service_probe",
    attack: "six applications tried at one port",
    attacks: (scene) =>
      evenly(1, 6, (_, number) => {
        const tries: readonly Buffer[] = [
          httpGet("a", "/"),
          clientHello(scene.random, { tls13: true }),
          Buffer.from("SSH-2.0-probe\r\n"),
          Buffer.from("OPTIONS sip:nm SIP/2.0\r\nVia: SIP/2.0/TCP nm\r\nCSeq: 1 OPTIONS\r\n\r\n"),
          Buffer.from("0300000b06e00000000000", "hex"),
          Buffer.from("100f00044d5154540402003c0003616263", "hex"),
        ];
        const data = tries[number] ?? Buffer.alloc(0);
        const ends = { client: OUTSIDE, server: SERVER, port: 9000, number };
        connect(scene, number * 2 * SECOND, ends, [client(data)]);
      }),
    harmless: "a proxy at which many machines speak clear text and TLS",
    behaves: (scene) =>
      evenly(30, 4, (atUs, number) => {
        const ends = { client: colleague(number % 30), server: SERVER, port: 3128, number };
        connect(scene, atUs, ends, [
          client("CONNECT shop.example.com:443 HTTP/1.1\r\n\r\n"),
          server("HTTP/1.1 200 Established\r\n\r\n"),
          client(clientHello(scene.random, { serverName: "shop.example.com", tls13: true })),
          server(serverHello(scene.random)),
        ]);
      }),
  },
  {
    detector: "tls_probe",
    attack: "forty hellos, each with one cipher and one version, mostly refused",
    attacks: (scene) =>
      evenly(20, 2, (atUs, number) => {
        const isRefused = number % 4 !== 0;
        const answer = isRefused ? Buffer.from("15030300020228", "hex") : serverHello(scene.random);
        handshake(scene, atUs, OUTSIDE, number, probeHello(scene, number), answer);
      }),
    harmless: "forty browsers of two kinds behind one address",
    behaves: (scene) =>
      evenly(40, 4, (atUs, number) => {
        const kinds = [
          { serverName: "shop.example.com", alpn: ["h2", "http/1.1"], tls13: true },
          { serverName: "shop.example.com", tls13: false },
        ];
        const hello = clientHello(scene.random, kinds[number % 2] ?? { tls13: true });
        handshake(scene, atUs, OUTSIDE, number, hello, serverHello(scene.random));
      }),
  },
];

/** A datagram to a port that is closed, and the refusal. */
function unreachable(scene: Scene, atUs: number, port: number): void {
  const data = udp(OUTSIDE, SERVER, 40_000, port, Buffer.alloc(12));
  const sent = ipv4(OUTSIDE.ip, SERVER.ip, IpProtocol.UDP, data);
  scene.frame(atUs, ethernet(OUTSIDE.mac, SERVER.mac, EtherType.IPV4, sent));
  const refusal = icmp(3, 3, 0, sent.subarray(0, 28));
  scene.frame(atUs + 300, packet(SERVER, OUTSIDE, IpProtocol.ICMP, refusal));
}

/** A ClientHello that offers a version and a number of ciphers of its own. */
function probeHello(scene: Scene, number: number): Buffer {
  const message = clientHelloMessage(scene.random, { tls13: number % 4 === 3 });
  const version = [0x0301, 0x0302, 0x0303, 0x0303][number % 4] ?? 0x0303;
  message.writeUInt16BE(version, 4);
  // Its first cipher that is not GREASE.
  const ciphersAt = 4 + 2 + 32 + 1 + (message[38] ?? 0) + 2;
  message.writeUInt16BE(0x0030 + number, ciphersAt + (number % 4 === 3 ? 2 : 0));
  return handshakeRecord(0x0301, message);
}

function handshake(
  scene: Scene,
  atUs: number,
  from: Host,
  number: number,
  hello: Buffer,
  answer: Buffer,
): void {
  const exchanges: readonly Exchange[] = [client(hello), server(answer)];
  connect(scene, atUs, { client: from, server: SERVER, port: 443, number }, exchanges);
}
