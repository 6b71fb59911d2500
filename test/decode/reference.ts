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
  readonly container: { readonly packets: string };
  readonly answer: {
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

/** Links that are decoded here; captures on others are seen as `other`. */
const LINKS = new Set(["eth", "ethertype", "vlan", "ieee8021ad", "null", "raw", "sll", "sll2"]);

/**
 * Frames in which a protocol lies on UDP or TCP in the frame's first IP header: not in a tunnel, not quoted by ICMP.
 */
export function framesOverOuterIp(reference: Reference, protocol: string): number {
  let frames = 0;
  for (const { path, frames: count } of reference.io_phs) {
    const layers = path.split(":").filter((layer) => !layer.startsWith("ipv6."));
    const ipAt = layers.findIndex((layer) => layer === "ip" || layer === "ipv6");
    const link = layers.slice(0, ipAt);
    const inner = layers.slice(ipAt + 1).join(":");
    if (link.every((layer) => LINKS.has(layer)) && isWhole(inner, protocol)) frames += count;
  }
  return frames;
}

function isWhole(layers: string, protocol: string): boolean {
  return layers === `udp:${protocol}` || layers === `tcp:${protocol}`;
}
