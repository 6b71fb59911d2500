// SPDX-License-Identifier: AGPL-3.0-or-later
import { join } from "node:path";
import { expect } from "vitest";
import {
  networkFamily,
  transportFamily,
  tunnelNames,
  tunnelPackets,
} from "../../src/decode/families.ts";
import { layerExceptions } from "../support/reference-exceptions.ts";
import { hasTool } from "../support/tool.ts";
import { askCounts, askTree } from "./ask-tshark.ts";
import { increment } from "./counts.ts";
import type { Counts, Decoding } from "./decoding.ts";
import { type Innermost, innermost, isDisputed, type Reference } from "./reference.ts";

const HAS_TSHARK = hasTool("tshark");

/** Captures whose tunnels tshark looks for only when told, with how it is told, and why. */
const TREE_ASKED_AGAIN: Readonly<Record<string, { options: readonly string[]; why: string }>> = {
  "captures/tcpdump/vxlan_port_8472.pcap": {
    options: ["-d", "udp.port==8472,vxlan"],
    why: "VXLAN on the port that Linux took before there was one",
  },
};

/** Captures whose IP headers are asked for anew, and why. */
const IP_ASKED_AGAIN: Readonly<Record<string, string>> = {
  "captures/tcpdump/ipv6_39_byte_header.pcap":
    "an IPv6 header cut by the capture: tshark shows the fields that there are, here a header counts whole",
  "captures/tcpdump/ipv6_invalid_length.pcap":
    "an IPv6 header that was sent without its last byte: the same",
};
/** A header of which the last field is there. */
const WHOLE_HEADERS = { "4": ["ip.dst", "ip.proto"], "6": ["ipv6.dst", "ipv6.nxt"] } as const;

/** What the packets themselves say, beside the counters. */
export class Seen {
  readonly ipProtocols: Counts = {};
  readonly vlanIds: Counts = {};
  readonly #decoding: Decoding;

  constructor(decoding: Decoding) {
    this.#decoding = decoding;
  }

  note(): void {
    const { packet } = this.#decoding;
    if (packet.vlanId >= 0) increment(this.vlanIds, String(packet.vlanId));
    if (packet.ipVersion === 0) return;
    const nextHeaderAt = packet.networkAt + (packet.ipVersion === 4 ? 9 : 6);
    increment(this.ipProtocols, `${packet.ipVersion}:${packet.view.getUint8(nextHeaderAt)}`);
  }
}

/** The layer families and tunnels: by the first IP header, or where tunnels are by what is inside the innermost. */
export function expectLayers(
  capture: string,
  root: string,
  decoding: Decoding,
  seen: Seen,
  reference: Reference,
): void {
  if (isDisputed(reference, "outer/l3")) return;
  const again = TREE_ASKED_AGAIN[capture];
  const isAskedAgain = again !== undefined || capture in IP_ASKED_AGAIN;
  if (isAskedAgain && !HAS_TSHARK) return;
  const io_phs =
    again === undefined ? reference.io_phs : askTree(join(root, capture), again.options);
  const { vlan, protocols } = reference.answer;
  let { outer } = reference.answer;
  if (capture in IP_ASKED_AGAIN) outer = { ...outer, ip_proto: askWhole(join(root, capture)) };
  // tshark keeps the identifiers of 802.1ad service tags under another name, which the answers leave out.
  if (!("ieee8021ad" in protocols)) expect(seen.vlanIds, "VLANs").toEqual(vlan.outer_ids);
  const inner = innermost({ io_phs });
  const found = layersFound(decoding, seen, inner !== null);
  const expected = layersExpected(outer, inner);
  if (capture in layerExceptions) expect(found).not.toEqual(expected);
  else expect(found).toEqual(expected);
}

/** What whole IP headers name, by version and protocol. */
function askWhole(path: string): Counts {
  const counts: Counts = {};
  for (const [version, [filter, field]] of Object.entries(WHOLE_HEADERS)) {
    for (const [protocol, count] of Object.entries(askCounts(path, [], filter, field))) {
      counts[`${version}:${protocol}`] = count;
    }
  }
  return counts;
}

interface Layers {
  readonly networks: Counts;
  readonly tunnels: Counts;
  /** Null where IPv6 extension headers come between. */
  readonly transports: Counts | null;
  /** Of the first IP header; null for captures with tunnels. */
  readonly ipProtocols: Counts | null;
}

function layersFound(decoding: Decoding, seen: Seen, hasTunnels: boolean): Layers {
  const { ipv4 = 0, ipv6 = 0, arp = 0 } = decoding.packets(networkFamily);
  const { none: _, ...transports } = decoding.packets(transportFamily);
  return {
    networks: { ipv4, ipv6, arp },
    tunnels: tunnelsOf(decoding),
    transports: hasTunnels || !hasExtensions(seen.ipProtocols) ? transports : null,
    ipProtocols: hasTunnels ? null : seen.ipProtocols,
  };
}

function layersExpected(outer: Reference["answer"]["outer"], inner: Innermost | null): Layers {
  const { ipv4 = 0, ipv6 = 0, arp = 0 } = inner?.networks ?? outer.l3;
  return {
    networks: { ipv4, ipv6, arp },
    tunnels: inner?.tunnels ?? {},
    transports: inner?.transports ?? transportsOf(outer.ip_proto),
    ipProtocols: inner === null ? outer.ip_proto : null,
  };
}

function tunnelsOf(decoding: Decoding): Counts {
  const counts = tunnelNames.map(
    (protocol) => [protocol, decoding.value(tunnelPackets.name, { protocol })] as const,
  );
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

const TRANSPORTS: Readonly<Record<string, string>> = {
  "1": "icmp",
  "2": "igmp",
  "6": "tcp",
  "17": "udp",
  "33": "dccp",
  "47": "gre",
  "50": "esp",
  "51": "ah",
  "58": "icmpv6",
  "132": "sctp",
  "136": "udp_lite",
};

/** The transport family by what the first IP header names; null where that is an IPv6 extension. */
function transportsOf(ipProtocols: Counts): Counts | null {
  if (hasExtensions(ipProtocols)) return null;
  const counts: Counts = {};
  for (const [key, count] of Object.entries(ipProtocols)) {
    const name = TRANSPORTS[key.slice(2)] ?? "other";
    counts[name] = (counts[name] ?? 0) + count;
  }
  return counts;
}

function hasExtensions(ipProtocols: Counts): boolean {
  return "6:0" in ipProtocols || "6:44" in ipProtocols;
}
