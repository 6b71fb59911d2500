// SPDX-License-Identifier: AGPL-3.0-or-later
// Refusals as packets through the whole agent: who asked for them is no victim, and who did not is one.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import {
  EtherType,
  ethernet,
  Flag,
  type Host,
  IpProtocol,
  icmp,
  icmpv6,
  ipv4,
  ipv6,
  packet,
  tcp,
  udp,
} from "../../scripts/fixtures/frames.ts";
import { CLIENT6, GATEWAY, SERVER, SERVER6 } from "../../scripts/fixtures/hosts.ts";
import type { Scene } from "../../scripts/fixtures/scene.ts";
import { colleague, evenly, stranger } from "./stories/office.ts";
import { play, type Telling } from "./stories/story.ts";

const SCANNER = stranger(9);
const SECONDS = 6;
const PER_SECOND = 500;
/** RFC 792, RFC 1812 §5.2.7.1, RFC 4443 §3.1. */
const CLOSED_PORT = { type: 3, code: 3 } as const;
const NO_HOST = { type: 3, code: 1 } as const;
const PROHIBITED = { type: 3, code: 13 } as const;
const TIME_EXCEEDED = { type: 11, code: 0 } as const;
const CLOSED_PORT_V6 = { type: 1, code: 4 } as const;
/** An IPv4 header and eight bytes: what RFC 792 quotes. */
const QUOTED_BYTES = 28;

const folder = mkdtempSync(join(tmpdir(), "nam-refusals-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Alarms of a fresh agent, as "detector entity", without those that sum up others. */
async function told(telling: Telling): Promise<string[]> {
  const events = await play(telling, join(folder, "refusals.pcap"));
  const alarms = events.filter(
    ({ severity, detector }) => severity !== "info" && detector !== "multi_signal",
  );
  return [...new Set(alarms.map(({ detector, entity }) => `${detector} ${entity.key}`))].sort();
}

/** So often a second for some seconds. */
function often(act: (scene: Scene, atUs: number, index: number) => void): Telling {
  return (scene) => evenly(SECONDS, PER_SECOND, (atUs, index) => act(scene, atUs, index));
}

interface Sent {
  readonly from: Host;
  readonly to: Host;
  readonly bytes: Buffer;
}

function datagram(from: Host, to: Host, port: number): Sent {
  const data = udp(from, to, 40_000, port, Buffer.alloc(12));
  return { from, to, bytes: ipv4(from.ip, to.ip, IpProtocol.UDP, data) };
}

function send(scene: Scene, atUs: number, { from, to, bytes }: Sent): void {
  scene.frame(atUs, ethernet(from.mac, to.mac, EtherType.IPV4, bytes));
}

/** What comes back for a packet, from where it was sent to or from a router. */
function answer(
  scene: Scene,
  atUs: number,
  sent: Sent,
  { type, code }: { readonly type: number; readonly code: number },
  by: Host = sent.to,
): void {
  const message = icmp(type, code, 0, sent.bytes.subarray(0, QUOTED_BYTES));
  scene.frame(atUs, packet(by, sent.from, IpProtocol.ICMP, message));
}

describe("ICMP errors that were asked for", () => {
  it("name the scanner of a host's UDP ports, and the host", async () => {
    const alarms = await told(
      often((scene, atUs, index) => {
        const sent = datagram(SCANNER, SERVER, 1 + index);
        send(scene, atUs, sent);
        answer(scene, atUs + 300, sent, CLOSED_PORT);
      }),
    );
    expect(alarms).toEqual([`port_scan ${SCANNER.ip}`, `udp_flood ${SERVER.ip}`]);
  });

  it("name the scanner of a network over UDP only, also where all answer again and again", async () => {
    const alarms = await told(
      often((scene, atUs, index) => {
        const sent = datagram(SCANNER, colleague(index % 20), 1 + Math.floor(index / 20));
        send(scene, atUs, sent);
        answer(scene, atUs + 300, sent, CLOSED_PORT);
      }),
    );
    expect(alarms).toEqual([`port_scan ${SCANNER.ip}`]);
  });

  it("name a scanner of which each probe is refused by another router", async () => {
    const alarms = await told(
      often((scene, atUs, index) => {
        const sent = datagram(SCANNER, colleague(index), 161);
        send(scene, atUs, sent);
        answer(scene, atUs + 300, sent, NO_HOST, stranger(5000 + index));
      }),
    );
    expect(alarms).toEqual([`host_sweep ${SCANNER.ip}`]);
  });

  it("name the scanner of TCP ports behind a firewall", async () => {
    const alarms = await told(
      often((scene, atUs, index) => {
        const ends = { from: 41_000, to: 1 + index };
        const syn = tcp(SCANNER, SERVER, { ...ends, flags: Flag.SYN, sequence: 9 });
        const bytes = ipv4(SCANNER.ip, SERVER.ip, IpProtocol.TCP, syn);
        const sent = { from: SCANNER, to: SERVER, bytes };
        send(scene, atUs, sent);
        answer(scene, atUs + 300, sent, PROHIBITED, GATEWAY);
      }),
    );
    expect(alarms).toEqual([`port_scan ${SCANNER.ip}`]);
  });

  it("name nobody who traces fifty routes at once", async () => {
    const alarms = await told(
      often((scene, atUs, index) => {
        const sent = datagram(colleague(3), stranger(100 + (index % 50)), 33_434 + (index % 30));
        send(scene, atUs, { ...sent, to: GATEWAY });
        answer(scene, atUs + 300, sent, TIME_EXCEEDED, stranger(1000 + (index % 20)));
      }),
    );
    expect(alarms).toEqual([]);
  });

  it("name whom somebody floods with pings, and not that one", async () => {
    const target = stranger(100);
    const alarms = await told(
      often((scene, atUs, index) => {
        const from = colleague(3);
        const ping = icmp(8, 0, index, Buffer.alloc(40));
        const sent = { from, to: target, bytes: ipv4(from.ip, target.ip, IpProtocol.ICMP, ping) };
        send(scene, atUs, sent);
        answer(scene, atUs + 300, sent, NO_HOST, GATEWAY);
      }),
    );
    expect(alarms).toEqual([`icmp_flood ${target.ip}`]);
  });

  it("name the scanner over IPv6", async () => {
    const alarms = await told(
      often((scene, atUs, index) => {
        const data = udp(CLIENT6, SERVER6, 40_000, 1 + index, Buffer.alloc(12));
        const bytes = ipv6(CLIENT6.ip, SERVER6.ip, IpProtocol.UDP, data);
        scene.frame(atUs, ethernet(CLIENT6.mac, SERVER6.mac, EtherType.IPV6, bytes));
        const { type, code } = CLOSED_PORT_V6;
        const message = icmpv6(SERVER6, CLIENT6, type, code, 0, bytes);
        scene.frame(atUs + 300, packet(SERVER6, CLIENT6, IpProtocol.ICMPV6, message));
      }),
    );
    expect(alarms).toEqual([`port_scan ${CLIENT6.ip}`, `udp_flood ${SERVER6.ip}`]);
  });
});

describe("resets that were asked for", () => {
  it("name the scanner only", async () => {
    const alarms = await told(
      often((scene, atUs, index) => scene.refused(atUs, SCANNER, SERVER, 41_000, 1 + index)),
    );
    expect(alarms).toEqual([`port_scan ${SCANNER.ip}`]);
  });
});

describe("refusals that nobody asked for", () => {
  it("are a flood when a host sends them that others attack in this one's name", async () => {
    const alarms = await told(
      often((scene, atUs, index) =>
        answer(scene, atUs, datagram(SERVER, stranger(5), 1 + index), CLOSED_PORT),
      ),
    );
    expect(alarms).toEqual([`icmp_flood ${SERVER.ip}`]);
  });

  it("are a flood when thousands of hosts send them", async () => {
    const alarms = await told(
      often((scene, atUs, index) =>
        answer(scene, atUs, datagram(SERVER, stranger(index), 161), CLOSED_PORT),
      ),
    );
    expect(alarms).toEqual([`icmp_flood ${SERVER.ip}`]);
  });

  it("are a flood though they quote a packet that the victim did send once", async () => {
    const sent = datagram(SERVER, stranger(5), 53);
    const alarms = await told((scene) => {
      send(scene, 0, sent);
      often((_, atUs, index) => answer(scene, atUs + 300, sent, CLOSED_PORT, stranger(index)))(
        scene,
      );
    });
    expect(alarms).toEqual([`icmp_flood ${SERVER.ip}`]);
  });

  it("are a flood though they quote packets of another", async () => {
    const alarms = await told(
      often((scene, atUs) => {
        const sent = datagram(colleague(3), stranger(5), 514);
        send(scene, atUs, sent);
        answer(scene, atUs + 300, { ...sent, from: SERVER }, CLOSED_PORT, stranger(5));
      }),
    );
    expect(alarms).toContain(`icmp_flood ${SERVER.ip}`);
  });

  it("are a flood as resets", async () => {
    const alarms = await told(
      often((scene, atUs, index) => {
        const flags = Flag.RST | Flag.ACK;
        scene.segment(atUs, stranger(5), SERVER, { from: 80, to: 1024 + index, flags });
      }),
    );
    expect(alarms).toEqual([`tcp_flag_flood ${SERVER.ip}`]);
  });
});
