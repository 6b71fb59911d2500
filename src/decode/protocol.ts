// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition, SignalDefinition } from "../metrics/metric.ts";
import type { Packet, PacketFacts } from "./packet.ts";

/** What a decoder returns when nothing follows. Anything >= 0 is the key of the next decoder. */
export const Stop = { DONE: -1, TRUNCATED: -2, MALFORMED: -3, UNSUPPORTED: -4 } as const;

/** A flow's verdict: the position of an application protocol in its family, 0 while it is undecided, and flags. */
export const POSITION_MASK = 0x7f;
/** Added where no payload has proved the protocol, and its port was believed after a while. */
export const GUESS_FLAG = 0x80;

/** What an application decoder returns instead of DONE when it wants to read no more of the flow but new messages. */
export const SETTLED = -5;

/** Keys under which decoders are found: a name space and a 16-bit number in it. */
export const linkKey = (linkType: number): number => linkType & 0xffff;
export const etherKey = (etherType: number): number => 0x10000 + etherType;
export const ipKey = (ipProtocol: number): number => 0x20000 + ipProtocol;
/** Named by either port of a UDP datagram. */
export const udpKey = (port: number): number => 0x30000 + port;
export const KEY_SPACES = 4;
export const KeySpace = { LINK: 0, ETHER: 1, IP: 2, UDP: 3 } as const;

/** In the order of the walk; `packet.faultLayer` counts in it. */
export const LAYERS = ["link", "network", "transport", "application"] as const;
export type Layer = (typeof LAYERS)[number];
export const LayerIndex = { LINK: 0, NETWORK: 1, TRANSPORT: 2, APPLICATION: 3 } as const;

interface Described {
  /** Value of the `protocol` label of its layer's family. */
  readonly name: string;
  readonly help: string;
  readonly metrics?: readonly MetricDefinition[];
  readonly signals?: readonly SignalDefinition[];
}

/**
 * Link, network and transport protocols, and tunnels: found by the key that the header before them names. A tunnel
 * returns the key of the packet inside, which is counted in its place, or DONE for what is not this tunnel after all.
 */
export interface HeaderProtocol extends Described {
  readonly layer: "link" | "network" | "transport" | "tunnel";
  /** For a transport that counts among the tunnels too when it names what it carries. */
  readonly carries?: boolean;
  readonly keys: readonly number[];
  /** Returns the decoder: reads from `packet.at`, moves it past its header, returns a key or a Stop. */
  create(context: DecodeContext): (packet: Packet) => number;
}

/** Application protocols: found by payload first, by port second; the verdict stays with the flow. */
export interface ApplicationProtocol extends Described {
  readonly layer: "application";
  readonly ports: { readonly tcp?: readonly number[]; readonly udp?: readonly number[] };
  /** First payload bytes with which `recognises` is worth calling; none: known by port only. */
  readonly firstBytes?: { readonly tcp?: readonly number[]; readonly udp?: readonly number[] };
  /** Its messages may begin with other bytes than `firstBytes`: a guess never settles, and all payloads are read. */
  readonly startsOtherwise?: boolean;
  /** Protocols that may take a proved flow over by their payload (STARTTLS, CONNECT), which is therefore looked at further. */
  readonly givesWayTo?: readonly string[];
  create(context: DecodeContext): ApplicationDecoder;
}

export interface ApplicationDecoder {
  /** True when the payload, which holds at least one byte, alone proves the protocol. */
  recognises?(packet: Packet): boolean;
  /**
   * Called for payloads of young TCP flows that prove nothing alone and whose port names no other protocol; true
   * when they do prove it put together with earlier ones.
   */
  gathers?(packet: Packet): boolean;
  /**
   * Reads `[payloadAt, payloadEnd)`; returns a Stop, or the verdict about the flow from its next packet on where the
   * payload hands it over: a `context.position`, or 0 for one that has to be found out. Missing: counted, not read.
   */
  decode?(packet: Packet): number;
  /** Facts for trackers, merged into `packet.facts`. */
  readonly facts?: Partial<PacketFacts>;
}

export type Protocol = HeaderProtocol | ApplicationProtocol;

/** What a protocol may use: its counter cells, and bounded tallies of strings for reports. */
export interface DecodeContext {
  readonly counters: Float64Array;
  /** First cell of one of the protocol's own metrics. */
  base(metric: MetricDefinition): number;
  /** Position of an application protocol in its family: the verdict that names it. */
  position(application: string): number;
  /** Counts a string in a bounded list, e.g. `tally("tls.sni")`. */
  tally(name: string): (value: string) => void;
  /** Facts for trackers that header protocols leave in the packet; each puts its own here when it is created. */
  readonly facts: Partial<PacketFacts>;
  /** Server names that say nothing where a hello has an ECH extension; lower case. */
  readonly echPublicNames: ReadonlySet<string>;
  /** What several protocols have in common, made by the first that asks: one of each `make` a decoder. */
  shared<T>(make: (context: DecodeContext) => T): T;
}

/** TRUNCATED if the capture cut the frame, MALFORMED if the sender lied about a length. */
export function short(packet: Packet): number {
  return packet.cut ? Stop.TRUNCATED : Stop.MALFORMED;
}

/** Notes what went wrong with a packet. The first fault is its outcome, later ones follow from it. */
export function fault(packet: Packet, layer: number, stop: number): void {
  if (packet.fault !== 0) return;
  packet.fault = stop;
  packet.faultLayer = layer;
}
