// SPDX-License-Identifier: AGPL-3.0-or-later
// Attacks of one's own frames, put onto the wire at their own pace by tcpreplay: forged senders, and lies about
// addresses, routers and name servers.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DhcpType, dhcp } from "../../scripts/fixtures/application-messages.ts";
import { concat, macBytes, u16, u32 } from "../../scripts/fixtures/bytes.ts";
import { pcap } from "../../scripts/fixtures/capture-file.ts";
import { arp, type Host, IpProtocol, icmpv6, packet } from "../../scripts/fixtures/frames.ts";
import { DnsType, dnsQuery, withEdns } from "../../scripts/fixtures/messages.ts";
import { Scene } from "../../scripts/fixtures/scene.ts";
import { FORGED, GATEWAY, victim } from "./attack-topology.ts";
import type { Lab } from "./lab.ts";
import { inA, type LiveAttack, SOON_SECONDS } from "./live-attack.ts";

const SECOND_US = 1e6;
/** A name server of the victim's, real, and the names it knows: see the test. */
export const NAME_SERVER = victim(20);
export const LONG_ANSWER = "long.lab.test";

const ROUTER: Host = { mac: "02:99:00:00:00:fe", ip: GATEWAY };
const SPOOFER: Host = { mac: "02:99:00:00:00:66", ip: "10.99.0.66" };
const CLIENT: Host = { mac: "02:99:00:00:00:11", ip: "10.99.0.111" };
const EVERYBODY: Host = { mac: "ff:ff:ff:ff:ff:ff", ip: "255.255.255.255" };
const ROUTER6: Host = { mac: ROUTER.mac, ip: "fe80::99:fe" };
const SPOOFER6: Host = { mac: SPOOFER.mac, ip: "fe80::99:66" };
const ALL_NODES: Host = { mac: "33:33:00:00:00:01", ip: "ff02::1" };

/** Replays a scene from `a`; `victimMac` is where frames to the victim go. */
function replay(name: string, write: (scene: Scene, victimMac: string) => void) {
  return async (lab: Lab, folder: string): Promise<string> => {
    const scene = new Scene(name.length);
    write(scene, lab.macOf(lab.b));
    const file = join(folder, `${name}.pcap`);
    writeFileSync(file, pcap(scene.frames));
    return inA(lab, "tcpreplay", "-q", "-i", lab.interfaceName, file);
  };
}

/** Questions at an even pace from forged senders. */
function ask(
  scene: Scene,
  to: Host,
  { perSecond, count }: { readonly perSecond: number; readonly count: number },
  question: (at: number) => { readonly from: string; readonly message: Buffer },
): void {
  for (let at = 0; at < count; at++) {
    const { from, message } = question(at);
    const sender = { mac: SPOOFER.mac, ip: from };
    scene.datagram((at * SECOND_US) / perSecond, sender, to, 20_000 + at, 53, message);
  }
}

function letters(scene: Scene, length: number): string {
  return Array.from({ length }, () => String.fromCharCode(97 + scene.random(26))).join("");
}

/** The gateway answers; then another claims its address again and again, as arpspoof does. */
function poisonArp(scene: Scene, victimMac: string): void {
  const told = { mac: victimMac, ip: victim(1) };
  scene.frame(0, arp(2, ROUTER, told));
  for (const atSeconds of [2, 3, 4]) {
    scene.frame(atSeconds * SECOND_US, arp(2, { ...SPOOFER, ip: ROUTER.ip }, told));
  }
}

/** A lease from the known server, then one that names the spoofer as router and name server. */
function serveDhcp(scene: Scene): void {
  const lease = (atSeconds: number, server: Host): void =>
    scene.datagram(
      ...([atSeconds * SECOND_US, server, EVERYBODY, 67, 68] as const),
      dhcp(DhcpType.ACK, CLIENT, server),
    );
  lease(0, ROUTER);
  lease(2.2, SPOOFER);
}

/** The known router, then another (RFC 4861 §4.2). */
function advertise(scene: Scene): void {
  const advertisement = (atSeconds: number, router: Host): void => {
    const link = concat(u16(0x0101), macBytes(router.mac));
    const body = concat(u32(0), u32(0), link);
    const message = icmpv6(router, ALL_NODES, 134, 0, 0x40000708, body);
    scene.frame(atSeconds * SECOND_US, packet(router, ALL_NODES, IpProtocol.ICMPV6, message, 255));
  };
  advertisement(0, ROUTER6);
  advertisement(2.5, SPOOFER6);
}

/** Every attack that is replayed. */
export const frameAttacks: readonly LiveAttack[] = [
  {
    detector: "arp_spoof",
    entity: { destination: ROUTER.ip, mac: SPOOFER.mac },
    packets: `arp and ether src ${SPOOFER.mac}`,
    withinSeconds: SOON_SECONDS,
    launch: replay("arp-spoof", poisonArp),
  },
  {
    detector: "rogue_dhcp",
    entity: { source: SPOOFER.ip, mac: SPOOFER.mac },
    packets: `udp and src host ${SPOOFER.ip}`,
    withinSeconds: SOON_SECONDS,
    launch: replay("rogue-dhcp", serveDhcp),
  },
  {
    detector: "rogue_router",
    entity: { source: SPOOFER6.ip, mac: SPOOFER6.mac },
    packets: `icmp6 and ether src ${SPOOFER6.mac}`,
    withinSeconds: SOON_SECONDS,
    launch: replay("rogue-router", advertise),
  },
  {
    detector: "amplification",
    entity: { destination: `${FORGED}.1` },
    packets: `src host ${FORGED}.1`,
    withinSeconds: SOON_SECONDS,
    launch: replay("amplification", (scene, mac) =>
      ask(scene, { mac, ip: NAME_SERVER }, { perSecond: 800, count: 2400 }, (at) => ({
        from: `${FORGED}.1`,
        message: withEdns(dnsQuery(at, LONG_ANSWER, DnsType.TXT), 4096, false),
      })),
    ),
  },
  {
    detector: "dns_flood",
    entity: { domain: "flooded.example" },
    packets: `src net ${FORGED}.16/28`,
    withinSeconds: SOON_SECONDS,
    launch: replay("dns-flood", (scene, mac) =>
      ask(scene, { mac, ip: NAME_SERVER }, { perSecond: 300, count: 1200 }, (at) => ({
        from: `${FORGED}.${16 + (at % 16)}`,
        message: dnsQuery(at, `${letters(scene, 10)}.flooded.example`, DnsType.A),
      })),
    ),
  },
  {
    detector: "dga",
    entity: { source: `${FORGED}.2` },
    packets: `src host ${FORGED}.2`,
    withinSeconds: SOON_SECONDS,
    launch: replay("dga", (scene, mac) =>
      ask(scene, { mac, ip: NAME_SERVER }, { perSecond: 20, count: 60 }, (at) => ({
        from: `${FORGED}.2`,
        message: dnsQuery(at, `${letters(scene, 14)}.com`, DnsType.A),
      })),
    ),
  },
];
