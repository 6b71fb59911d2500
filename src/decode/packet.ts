// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * What decoders learned of one frame. One object for all packets: every field is valid until the next frame
 * only. Addresses are four 32-bit words in network order, IPv4 as ::ffff:a.b.c.d, all kept as signed int32 so
 * that the engine stores them unboxed. `-1` marks an offset or a number that the packet does not have.
 */
export interface Packet {
  /** Counts frames; facts of a decoder are this packet's only while their `packet` equals it. */
  number: number;
  view: DataView;
  /** Captured bytes of the frame are `[start, end)`; IP lowers `end` to its own length (padding is not data). */
  start: number;
  end: number;
  /** Where the next decoder begins. */
  at: number;
  wireLength: number;
  /**
   * True where the capture, or IP fragmentation, cut the data: a header that is missing bytes is then truncated,
   * not malformed.
   */
  cut: boolean;
  seconds: number;
  nanoseconds: number;
  /** Direction.IN, OUT or UNKNOWN (capture/source.ts). */
  direction: number;
  linkType: number;
  /** Identifier in the outermost VLAN tag, -1 without one. */
  vlanId: number;
  /** Offset of the Ethernet header (destination MAC first), -1 without one. */
  ethernetAt: number;
  /** Family index: position in the protocol list of its layer; see decode/protocol.ts. */
  network: number;
  transport: number;
  application: number;
  /** True where no payload has proved `application`: a port says so, or nothing does (`other`). */
  guessed: boolean;
  /** Where the header starts; -1 unless it could be read whole. */
  networkAt: number;
  transportAt: number;
  /** Application data: `[payloadAt, payloadEnd)` as captured; `payloadLength` as sent. */
  payloadAt: number;
  payloadEnd: number;
  payloadLength: number;
  /** Where the frame, and then the IP datagram in it, ends as sent; greater than `end` where bytes are missing. */
  sentEnd: number;
  ipVersion: number;
  ipProtocol: number;
  ttl: number;
  /** 0 whole, 1 first fragment, 2 later fragment (no transport header). */
  fragment: number;
  source0: number;
  source1: number;
  source2: number;
  source3: number;
  destination0: number;
  destination1: number;
  destination2: number;
  destination3: number;
  sourcePort: number;
  destinationPort: number;
  tcpFlags: number;
  tcpSequence: number;
  tcpAcknowledgment: number;
  tcpWindow: number;
  icmpType: number;
  icmpCode: number;
  /** Offset of the IP header quoted by an ICMP or ICMPv6 error, captured whole; -1 without one. */
  quotedAt: number;
  /** Slot in the flow table, -1 for packets without a flow; set between the two halves of decoding. */
  flow: number;
  /** 0 = sent by the flow's initiator, 1 = by the responder. */
  flowSide: number;
  /** Packets of the flow so far, this one among them; 0 without a flow. */
  flowPackets: number;
  /** True in a flow of TCP whose beginning was not seen. */
  flowMidway: boolean;
  /** What the packet says about a login in clear text: a value of Login. */
  login: number;
  /** The packet's one outcome: 0 when every decoder was content, else the first Stop that is an error. */
  fault: number;
  /** Position in LAYERS of the decoder that found `fault`. */
  faultLayer: number;
  /** Facts that application decoders leave for trackers; each decoder adds its own key to the type. */
  readonly facts: PacketFacts;
}

/** Extended by the decoders' files through `declare module`; a fact is valid while `fact.packet === packet.number`. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by declaration merging, one key a decoder
export interface PacketFacts {}

export const TcpFlag = {
  FIN: 1,
  SYN: 2,
  RST: 4,
  PSH: 8,
  ACK: 16,
  URG: 32,
  ECE: 64,
  CWR: 128,
} as const;

/** Outcome of a login, as the server's answer tells it. */
export const Login = { NONE: 0, FAILED: 1, SUCCEEDED: 2 } as const;

export function emptyPacket(facts: PacketFacts): Packet {
  return {
    number: 0,
    view: new DataView(new ArrayBuffer(0)),
    start: 0,
    end: 0,
    at: 0,
    wireLength: 0,
    cut: false,
    seconds: 0,
    nanoseconds: 0,
    direction: 2,
    linkType: 1,
    vlanId: -1,
    ethernetAt: -1,
    network: 0,
    transport: 0,
    application: 0,
    guessed: false,
    networkAt: -1,
    transportAt: -1,
    payloadAt: -1,
    payloadEnd: -1,
    payloadLength: 0,
    sentEnd: 0,
    ipVersion: 0,
    ipProtocol: -1,
    ttl: 0,
    fragment: 0,
    source0: 0,
    source1: 0,
    source2: 0,
    source3: 0,
    destination0: 0,
    destination1: 0,
    destination2: 0,
    destination3: 0,
    sourcePort: 0,
    destinationPort: 0,
    tcpFlags: 0,
    tcpSequence: 0,
    tcpAcknowledgment: 0,
    tcpWindow: 0,
    icmpType: -1,
    icmpCode: -1,
    quotedAt: -1,
    flow: -1,
    flowSide: 0,
    flowPackets: 0,
    flowMidway: false,
    login: 0,
    fault: 0,
    faultLayer: 0,
    facts,
  };
}

/** Length of an IEEE 802.1Q tag. */
export const VLAN_TAG_LENGTH = 4;

/**
 * Added to a flow's verdict where the flow is settled: of its payloads, only those are read whose first byte may begin a
 * message of the protocol.
 */
export const SETTLED_FLAG = 0x100;
