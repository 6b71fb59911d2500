// SPDX-License-Identifier: AGPL-3.0-or-later
import { readFileSync } from "node:fs";
import type { Counts } from "./decoding.ts";

interface NameServiceAnswer {
  readonly frames: number;
  readonly queries: number;
  readonly responses: number;
  readonly query_names: Counts;
}

/** The parts of a reference answer (schema nam-ref/1, made with tshark) that the decoders are held against. */
export interface Reference {
  /** What capinfos says of the file. */
  readonly container: { readonly packets: string; readonly data_bytes: string };
  readonly answer: {
    readonly packets: number;
    readonly bytes: number;
    readonly frame_len_le: Counts;
    readonly protocols: Readonly<Record<string, { readonly frames: number }>>;
    /** Of the first IP header in each frame: `ip_proto` keys are `version:next header`. */
    readonly outer: { readonly l3: Counts; readonly ip_proto: Counts };
    readonly tcp: Readonly<Record<TcpFlagName, number>>;
    readonly vlan: { readonly outer_ids: Counts };
    readonly dns: {
      readonly frames: number;
      readonly queries: number;
      readonly responses: number;
      readonly query_names: Counts;
      readonly query_types: Counts;
      readonly response_rcodes: Counts;
    };
    readonly mdns?: NameServiceAnswer;
    readonly llmnr?: NameServiceAnswer;
    readonly tls: {
      readonly client_hellos: number;
      readonly server_hellos: number;
      readonly sni: Counts;
      readonly ja3: Counts;
      readonly ja3s: Counts;
    };
    readonly dtls: { readonly client_hellos: number };
    readonly quic: { readonly sni: Counts };
    readonly http: { readonly hosts: Counts };
  };
  readonly io_phs: readonly { readonly path: string; readonly frames: number }[];
  readonly fingerprints: {
    readonly ja4: Counts;
    readonly hassh: Counts;
    readonly hassh_server: Counts;
  };
  readonly second_opinion: { readonly differs_from_base: readonly (readonly unknown[])[] };
}

export const TCP_FLAG_NAMES = ["syn", "syn_ack", "fin", "rst", "null", "xmas"] as const;
export type TcpFlagName = (typeof TCP_FLAG_NAMES)[number];

export function readReference(path: string): Reference {
  return JSON.parse(readFileSync(path, "utf8")) as Reference;
}

/** True where two versions of tshark disagree about a field below this one: it judges nobody. */
export function isDisputed(reference: Reference, field: string): boolean {
  return reference.second_opinion.differs_from_base.some(([path]) =>
    String(path).startsWith(`${field}/`),
  );
}

/** Names of tshark's protocol tree, and what they are called here. */
const NETWORKS: Readonly<Record<string, string>> = { ip: "ipv4", ipv6: "ipv6", arp: "arp" };
const TRANSPORTS: Readonly<Record<string, string>> = {
  tcp: "tcp",
  udp: "udp",
  icmp: "icmp",
  icmpv6: "icmpv6",
  igmp: "igmp",
  sctp: "sctp",
  gre: "gre",
  esp: "esp",
};
const TUNNELS: Readonly<Record<string, string>> = {
  gre: "gre",
  ah: "ah",
  vxlan: "vxlan",
  geneve: "geneve",
  gtp: "gtp_u",
  teredo: "teredo",
};

/** What is inside the innermost tunnel of each frame, and how many packets each tunnel carried. */
export interface Innermost {
  readonly networks: Counts;
  readonly transports: Counts;
  readonly tunnels: Counts;
}

/** Frames by what is inside their innermost tunnel, from the protocol tree; null for a capture without tunnels. */
export function innermost({ io_phs }: Pick<Reference, "io_phs">): Innermost | null {
  const networks: Counts = {};
  const transports: Counts = {};
  const tunnels: Counts = {};
  for (const { path, frames } of io_phs) {
    const layers = layersOf(path);
    const ended = frames - framesBelow(io_phs, path);
    const networkAt = layers.findLastIndex((layer) => layer in NETWORKS);
    if (networkAt < 0) continue;
    count(networks, NETWORKS[layers[networkAt] ?? ""] ?? "", ended);
    const above = layers[networkAt + 1];
    if (above !== undefined) count(transports, TRANSPORTS[above] ?? "other", ended);
    const carrier = carrierOfLast(layers);
    if (carrier !== null) count(tunnels, carrier, frames);
  }
  return Object.keys(tunnels).length > 0 ? { networks, transports, tunnels } : null;
}

/** The tunnel that the last layer of a path lies in directly, if any. */
function carrierOfLast(layers: readonly string[]): string | null {
  const [before = "", last = ""] = layers.slice(-2);
  if (before in NETWORKS && last in NETWORKS) return `${NETWORKS[last]}_in_ip`;
  // What tshark writes where a header cannot be read is no layer.
  return last.startsWith("_ws.") ? null : (TUNNELS[before] ?? null);
}

/** Frames in which a protocol lies on UDP or TCP in the innermost packet, and is not quoted by ICMP. */
export function framesOverIp({ io_phs }: Reference, protocol: string): number {
  let sum = 0;
  for (const { path, frames } of io_phs) {
    const layers = layersOf(path);
    const networkAt = layers.findLastIndex((layer) => layer in NETWORKS);
    if (isWhole(layers.slice(networkAt + 1).join(":"), protocol)) sum += frames;
  }
  return sum;
}

function layersOf(path: string): string[] {
  return path.split(":").filter((layer) => !layer.startsWith("ipv6."));
}

function framesBelow(tree: Reference["io_phs"], path: string): number {
  const depth = path.split(":").length + 1;
  return tree
    .filter((one) => one.path.startsWith(`${path}:`) && one.path.split(":").length === depth)
    .reduce((sum, { frames }) => sum + frames, 0);
}

function count(counts: Counts, key: string, amount: number): void {
  if (amount > 0) counts[key] = (counts[key] ?? 0) + amount;
}

function isWhole(layers: string, protocol: string): boolean {
  return layers === `udp:${protocol}` || layers === `tcp:${protocol}`;
}
