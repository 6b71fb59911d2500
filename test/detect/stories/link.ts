// SPDX-License-Identifier: AGPL-3.0-or-later
// Stories of a local network: who owns which address, who gives them out, and who routes.
import { DhcpType, dhcp } from "../../../scripts/fixtures/application-messages.ts";
import { arpSpoof } from "../../../scripts/fixtures/attacks.ts";
import { addressBytes, concat, macBytes, u8, u32 } from "../../../scripts/fixtures/bytes.ts";
import {
  arp,
  Flag,
  type Host,
  IpProtocol,
  icmpv6,
  packet,
} from "../../../scripts/fixtures/frames.ts";
import { ATTACKER, CLIENT, GATEWAY } from "../../../scripts/fixtures/hosts.ts";
import type { Scene } from "../../../scripts/fixtures/scene.ts";
import { browse, colleague, EVERYBODY, evenly, MINUTE, SECOND } from "./office.ts";
import type { Story } from "./story.ts";

const NOBODY_YET = "0.0.0.0";

export const link: readonly Story[] = [
  {
    detector: "mac_flood",
    attack: "frames from ever new addresses, as macof sends them",
    attacks: (scene) => {
      everyday(scene, 10, 20);
      evenly(4, 600, (atUs) => randomFrame(scene, 10 * SECOND + atUs));
    },
    harmless: "a switch with two hundred machines, all switched on within a minute",
    behaves: (scene) =>
      evenly(60, 30, (atUs, index) => {
        const host = colleague(Math.min(199, Math.floor(index / 9)));
        scene.resolve(atUs, host, GATEWAY);
        browse(scene, atUs + 20_000, colleague(index % 200), index % 30);
      }),
  },
  {
    detector: "dhcp_starvation",
    attack: "addresses asked for in the names of hundreds, which nobody takes",
    attacks: (scene) =>
      evenly(20, 15, (atUs, index) => {
        const invented = { mac: randomMac(scene), ip: `10.20.7.${1 + (index % 250)}` };
        discover(scene, atUs, invented, invented.mac);
        offer(scene, atUs + 900, invented, GATEWAY);
      }),
    harmless: "a hundred laptops that come in within two minutes",
    behaves: (scene) =>
      evenly(100, 1, (atUs, index) => lease(scene, atUs * 1.2, colleague(index), GATEWAY)),
  },
  {
    detector: "dhcp_starvation",
    attack: "one machine that asks in the names of others",
    attacks: (scene) =>
      evenly(30, 2, (atUs, index) => {
        const invented = { mac: randomMac(scene), ip: `10.20.7.${1 + index}` };
        discover(scene, atUs, invented, ATTACKER.mac);
      }),
    harmless: "a machine with ten virtual ones behind it",
    behaves: (scene) =>
      evenly(30, 1, (atUs, index) => discover(scene, atUs, colleague(index % 10), ATTACKER.mac)),
  },
  {
    detector: "rogue_dhcp",
    attack: "a second server that makes itself the router",
    attacks: (scene) =>
      evenly(1, 20, (_, index) => {
        lease(scene, index * 10 * SECOND, colleague(index), GATEWAY);
        if (index === 15) offer(scene, index * 10 * SECOND + 600, colleague(index), ATTACKER);
      }),
    harmless: "one server that gives out addresses all day",
    behaves: (scene) =>
      evenly(1, 60, (_, index) => lease(scene, index * 30 * SECOND, colleague(index), GATEWAY)),
  },
  {
    detector: "rogue_router",
    attack: "a second router that claims precedence",
    attacks: (scene) => {
      evenly(1, 20, (_, index) => advertise(scene, index * 30 * SECOND, GATEWAY.mac, 0));
      evenly(1, 3, (_, index) => advertise(scene, 8 * MINUTE + index * SECOND, ATTACKER.mac, 1));
    },
    harmless: "one router that tells about itself all day",
    behaves: (scene) => {
      evenly(1, 60, (_, index) => advertise(scene, index * 30 * SECOND, GATEWAY.mac, 0));
    },
  },
  {
    detector: "arp_spoof",
    attack: "answers in the name of the gateway, on an agent that knows it for ten minutes",
    attacks: (scene) => {
      evenly(1, 12, (_, minute) => scene.resolve(minute * MINUTE, CLIENT, GATEWAY));
      const spoof = { attacker: ATTACKER, victim: CLIENT, gateway: GATEWAY, seconds: 20 };
      arpSpoof(scene, 11.5 * MINUTE, spoof);
    },
    harmless: "an address that a machine gets which another one has left",
    behaves: (scene) => {
      const heir: Host = { mac: ATTACKER.mac, ip: CLIENT.ip };
      evenly(1, 12, (_, minute) => scene.resolve(minute * MINUTE, CLIENT, GATEWAY));
      scene.frame(40 * MINUTE, arp(1, heir, heir));
      evenly(1, 12, (_, minute) => scene.resolve((40 + minute) * MINUTE, heir, GATEWAY));
    },
  },
];

/** A network in which machines find the gateway and browse. */
function everyday(scene: Scene, seconds: number, machines: number): void {
  evenly(seconds, 10, (atUs, index) => {
    scene.resolve(atUs, colleague(index % machines), GATEWAY);
    browse(scene, atUs + 9000, colleague(index % machines), index % 20);
  });
}

function randomMac(scene: Scene): string {
  const part = (): string => scene.random(256).toString(16).padStart(2, "0");
  return `0a:${part()}:${part()}:${part()}:${part()}:${part()}`;
}

/** A SYN between addresses and MACs that nobody has. */
function randomFrame(scene: Scene, atUs: number): void {
  const ip = (): string => Array.from({ length: 4 }, () => 1 + scene.random(222)).join(".");
  const [from, to] = [
    { mac: randomMac(scene), ip: ip() },
    { mac: randomMac(scene), ip: ip() },
  ];
  const ports = { from: 1024 + scene.random(60_000), to: 1024 + scene.random(60_000) };
  scene.segment(atUs, from, to, { ...ports, flags: Flag.SYN, window: 512 });
}

function discover(scene: Scene, atUs: number, host: Host, senderMac: string): void {
  const sender = { mac: senderMac, ip: NOBODY_YET };
  const message = dhcp(DhcpType.DISCOVER, host, GATEWAY);
  scene.datagram(atUs, sender, { mac: EVERYBODY, ip: "255.255.255.255" }, 68, 67, message);
}

function offer(scene: Scene, atUs: number, host: Host, server: Host, type = 2): void {
  scene.datagram(atUs, server, host, 67, 68, dhcp(type, host, server));
}

/** DISCOVER, OFFER, REQUEST, ACK. */
function lease(scene: Scene, atUs: number, host: Host, server: Host): void {
  discover(scene, atUs, host, host.mac);
  offer(scene, atUs + 700, host, server);
  const sender = { mac: host.mac, ip: NOBODY_YET };
  const request = dhcp(DhcpType.REQUEST, host, server);
  scene.datagram(atUs + 900, sender, { mac: EVERYBODY, ip: "255.255.255.255" }, 68, 67, request);
  offer(scene, atUs + 1600, host, server, DhcpType.ACK);
}

/** A router advertisement (RFC 4861 §4.2); preference 1 is high (RFC 4191). */
function advertise(scene: Scene, atUs: number, mac: string, preference: number): void {
  const router = { mac, ip: `fe80::${mac.slice(-2)}` };
  const everybody = { mac: "33:33:00:00:00:01", ip: "ff02::1" };
  const lifetimeSeconds = 1800;
  const rest = (64 << 24) | (preference << 19) | lifetimeSeconds;
  const prefix = concat(
    ...[u8(3), u8(4), u8(64), u8(0xc0), u32(86_400), u32(14_400), u32(0)],
    addressBytes(mac === GATEWAY.mac ? "2001:db8:1::" : "2001:db8:666::"),
  );
  const options = concat(u8(1), u8(1), macBytes(mac), prefix);
  const body = icmpv6(router, everybody, 134, 0, rest, concat(u32(0), u32(0), options));
  scene.frame(atUs, packet(router, everybody, IpProtocol.ICMPV6, body, 255));
}
