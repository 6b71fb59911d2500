// SPDX-License-Identifier: AGPL-3.0-or-later
// Stories of floods of packets.

import { monlist } from "../../../scripts/fixtures/application-messages.ts";
import { synFlood } from "../../../scripts/fixtures/attacks.ts";
import {
  EtherType,
  ethernet,
  Flag,
  IpProtocol,
  icmp,
  ipv4,
  packet,
  udp,
} from "../../../scripts/fixtures/frames.ts";
import { ATTACKER, CLIENT, GATEWAY, SERVER } from "../../../scripts/fixtures/hosts.ts";
import { DnsType, dnsAnswer, dnsQuery } from "../../../scripts/fixtures/messages.ts";
import { colleague, connect, echo, evenly, page, stranger } from "./office.ts";
import type { Story } from "./story.ts";

const { SYN, ACK } = Flag;
const OUTSIDE = stranger(9);

export const floods: readonly Story[] = [
  {
    detector: "syn_flood",
    attack: "SYNs from forged sources to a web server",
    attacks: (scene) =>
      synFlood(scene, 0, {
        ...{ attackerMac: GATEWAY.mac, gateway: GATEWAY, victim: SERVER, port: 443 },
        ...{ seconds: 5, perSecond: 500 },
      }),
    harmless: "a shop at noon: 300 connections a second, all of them answered",
    behaves: (scene) =>
      evenly(5, 300, (atUs, number) =>
        connect(scene, atUs, { client: stranger(number), server: SERVER, port: 80, number }, [
          ...page("/"),
        ]),
      ),
  },
  {
    detector: "udp_flood",
    attack: "datagrams to ever new ports",
    attacks: (scene) =>
      evenly(5, 400, (atUs, index) =>
        scene.datagram(atUs, OUTSIDE, SERVER, 5000, 1024 + index, Buffer.alloc(64)),
      ),
    harmless: "a stream of video, which nobody answers",
    behaves: (scene) =>
      evenly(5, 800, (atUs) =>
        scene.datagram(atUs, OUTSIDE, CLIENT, 5004, 6000, Buffer.alloc(200, 0x80)),
      ),
  },
  {
    detector: "icmp_flood",
    attack: "400 pings a second",
    attacks: (scene) => evenly(5, 400, (atUs, index) => scene.ping(atUs, OUTSIDE, SERVER, index)),
    harmless: "a measurement that pings ten machines a hundred times a second each",
    behaves: (scene) =>
      evenly(20, 1_000, (atUs, index) =>
        scene.ping(atUs, ATTACKER, colleague(index % 10), Math.floor(index / 10)),
      ),
  },
  {
    detector: "tcp_flag_flood",
    attack: "ACKs that belong to no connection",
    attacks: (scene) =>
      evenly(5, 400, (atUs, index) =>
        scene.segment(atUs, stranger(index), SERVER, { from: 1024 + index, to: 80, flags: ACK }),
      ),
    harmless: "a download that began before the capture",
    behaves: (scene) =>
      evenly(5, 800, (atUs, index) => {
        const data = { from: 443, to: 40_000, flags: ACK, sequence: 1 + index * 1000 };
        scene.segment(atUs, OUTSIDE, CLIENT, data, Buffer.alloc(1000));
        const acknowledgment = 1 + (index + 1) * 1000;
        const answer = { from: 40_000, to: 443, flags: ACK, sequence: 1, acknowledgment };
        scene.segment(atUs + 100, CLIENT, OUTSIDE, answer);
      }),
  },
  {
    detector: "spoofed_flood",
    attack: "a datagram from each of thousands of sources",
    attacks: (scene) =>
      evenly(6, 150, (atUs, index) =>
        scene.datagram(atUs, stranger(index), SERVER, 4000, 80, Buffer.alloc(30)),
      ),
    harmless: "a name server that everybody asks once, and that answers",
    behaves: (scene) =>
      evenly(6, 150, (atUs, index) =>
        scene.lookUp(
          ...([
            atUs,
            stranger(index),
            SERVER,
            { name: "www.example.org", type: DnsType.A },
          ] as const),
          { records: [{ type: DnsType.A, data: "192.0.2.1" }] },
        ),
      ),
  },
  {
    detector: "land",
    attack: "a SYN that claims to come from its target",
    attacks: (scene) => scene.segment(0, SERVER, SERVER, { from: 80, to: 80, flags: SYN }),
    harmless: "a machine that talks with itself by its own address",
    behaves: (scene) =>
      evenly(10, 20, (atUs, number) =>
        connect(scene, atUs, { client: SERVER, server: SERVER, port: 8080, number }, page("/")),
      ),
  },
  {
    detector: "amplification",
    attack: "lists of NTP clients that nobody asked for",
    attacks: (scene) =>
      evenly(5, 20, (atUs, index) => {
        for (let at = 0; at < 100; at++) {
          const server = stranger(index % 50);
          scene.datagram(atUs + 20 * at, server, SERVER, 123, 80, monlist(true));
        }
      }),
    harmless: "a busy resolver that gets signed answers",
    behaves: (scene) =>
      evenly(5, 200, (atUs, index) => {
        const query = dnsQuery(index, `host${index % 40}.example.org`, DnsType.TXT);
        const port = 20_000 + index;
        scene.datagram(atUs, SERVER, stranger(1), port, 53, query);
        const answer = dnsAnswer(query, [{ type: DnsType.TXT, data: "v=spf1 ".repeat(40) }]);
        scene.datagram(atUs + 9000, stranger(1), SERVER, 53, port, answer);
      }),
  },
  {
    detector: "icmp_oversized",
    attack: "pings that are longer than a packet",
    attacks: (scene) =>
      evenly(20, 1, (atUs, sequence) =>
        echo(scene, atUs, [OUTSIDE, SERVER], {
          ...{ isReply: false, sequence, data: Buffer.alloc(4000, 7) },
        }),
      ),
    harmless: "pings as long as a packet may be",
    behaves: (scene) =>
      evenly(60, 1, (atUs, sequence) => {
        const data = Buffer.alloc(1472, 7);
        echo(scene, atUs, [OUTSIDE, SERVER], { isReply: false, sequence, data });
        echo(scene, atUs + 900, [SERVER, OUTSIDE], { isReply: true, sequence, data });
      }),
  },
  {
    detector: "udp_flood",
    attack: "datagrams to one closed port, each refused",
    attacks: (scene) =>
      evenly(5, 400, (atUs) => {
        const data = udp(OUTSIDE, SERVER, 5000, 7000, Buffer.alloc(64));
        const sent = ipv4(OUTSIDE.ip, SERVER.ip, IpProtocol.UDP, data);
        scene.frame(atUs, ethernet(OUTSIDE.mac, SERVER.mac, EtherType.IPV4, sent));
        const refusal = icmp(3, 3, 0, sent.subarray(0, 28));
        scene.frame(atUs + 300, packet(SERVER, OUTSIDE, IpProtocol.ICMP, refusal));
      }),
    harmless: "a resolver at work: 400 questions a second, all answered",
    behaves: (scene) =>
      evenly(5, 400, (atUs, index) =>
        scene.lookUp(
          atUs,
          colleague(index % 200),
          GATEWAY,
          { name: `site${index % 90}.example.com`, type: DnsType.A },
          { records: [{ type: DnsType.A, data: "192.0.2.7" }] },
        ),
      ),
  },
  {
    detector: "spoofed_flood",
    attack: "packets of a protocol of IP that the victim does not speak, from everywhere",
    attacks: (scene) =>
      evenly(6, 150, (atUs, index) =>
        scene.frame(atUs, packet(stranger(index), SERVER, 47, Buffer.alloc(40))),
      ),
    harmless: "one tunnel of that protocol, both ways",
    behaves: (scene) =>
      evenly(6, 150, (atUs) => {
        scene.frame(atUs, packet(OUTSIDE, SERVER, 50, Buffer.alloc(80, 3)));
        scene.frame(atUs + 500, packet(SERVER, OUTSIDE, 50, Buffer.alloc(80, 3)));
      }),
  },
];
