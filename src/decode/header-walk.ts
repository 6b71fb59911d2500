// SPDX-License-Identifier: AGPL-3.0-or-later
import { NamError } from "../util/errors.ts";
import { add, u8 } from "../util/typed.ts";
import {
  networkNames,
  OTHER,
  transportNames,
  tunnelBytes,
  tunnelNames,
  tunnelPackets,
} from "./families.ts";
import { Fragment } from "./ip-datagram.ts";
import type { Packet } from "./packet.ts";
import { enterTunnel } from "./packet-reset.ts";
import {
  type DecodeContext,
  fault,
  type HeaderProtocol,
  KEY_SPACES,
  KeySpace,
  LAYERS,
  LayerIndex,
  Stop,
  udpKey,
} from "./protocol.ts";

/** A header protocol at work: its decoder, and where its packets are counted. */
interface Entry {
  readonly decode: (packet: Packet) => number;
  /** LINK, NETWORK, or TRANSPORT for all that lies on IP. */
  readonly layer: number;
  /** Position in the family of its layer; 0 for links, which have none, and OTHER for tunnels. */
  readonly position: number;
  /** Position in the tunnel family, -1 for what is no tunnel. */
  readonly tunnel: number;
}

// Imported objects are looked up each time they are named; constants of the file are not.
const { LINK, NETWORK, TRANSPORT } = LayerIndex;
const { DONE, MALFORMED, UNSUPPORTED } = Stop;
const { IP, UDP } = KeySpace;
const { LATER } = Fragment;

const SPACE_SHIFT = 16;
const FIRST_UDP_KEY = udpKey(0);
/** Headers before the network layer: more than any real stack of tags, and a bound for nested ones. */
const MAX_LINK_HEADERS = 8;
/** Packets inside one another; the outermost counts. Real ones have two or three. */
const MAX_PACKETS = 6;
/** Headers from the transport to a packet inside: AH, UDP and the tunnel. */
const MAX_TRANSPORT_HEADERS = 4;

/** Walks a frame from header to header: one byte of table a key leads to the decoder. */
export class HeaderWalk {
  readonly #table = new Uint8Array(KEY_SPACES << SPACE_SHIFT);
  /** Position 0 is every key without a decoder. */
  readonly #entries: (Entry | undefined)[] = [undefined];
  /** By last byte of a UDP port: 1 where a tunnel's port ends so. */
  readonly portEndings = new Uint8Array(256);
  readonly #counters: Float64Array;
  readonly #tunnelPackets: number;
  readonly #tunnelBytes: number;

  /** Throws INTERNAL where two protocols claim one key. */
  constructor(protocols: readonly HeaderProtocol[], context: DecodeContext) {
    this.#counters = context.counters;
    this.#tunnelPackets = context.base(tunnelPackets);
    this.#tunnelBytes = context.base(tunnelBytes);
    for (const protocol of protocols) {
      for (const key of protocol.keys) this.#claim(key, protocol.name);
      this.#entries.push(entryOf(protocol, context));
    }
  }

  /**
   * Decodes the headers of the frame in `packet`, beginning with the one that `firstKey` names, down to the packet
   * in the innermost tunnel.
   */
  run(packet: Packet, firstKey: number): void {
    let key = this.#packet(packet, firstKey);
    for (let count = 1; key >= 0; count++) {
      if (count === MAX_PACKETS) key = MALFORMED;
      else key = this.#packet(packet, key);
    }
    if (key !== DONE) fault(packet, TRANSPORT, key);
  }

  /**
   * From link header to transport. Returns the key of a packet inside this one, else DONE. Each layer has its own
   * call site, so that the JIT sees few targets at each.
   */
  #packet(packet: Packet, firstKey: number): number {
    let key = firstKey;
    let entry = this.#find(key);
    for (let count = 0; entry !== undefined && entry.layer === LINK; count++) {
      key = count < MAX_LINK_HEADERS ? entry.decode(packet) : MALFORMED;
      if (key < 0) return stop(packet, LINK, key);
      entry = this.#find(key);
    }
    if (entry === undefined) return stop(packet, key >>> SPACE_SHIFT, UNSUPPORTED);
    // Only a packet that carries this one has been given a network before.
    if (packet.network !== 0) enterTunnel(packet);
    packet.network = entry.position;
    key = entry.decode(packet);
    if (key < 0) return stop(packet, NETWORK, key);
    entry = this.#find(key);
    if (entry === undefined) {
      packet.transport = OTHER;
      return stop(packet, TRANSPORT, UNSUPPORTED);
    }
    packet.transport = entry.position;
    if (packet.fragment === LATER) return DONE;
    key = entry.decode(packet);
    if (key < 0) return stop(packet, TRANSPORT, key);
    return key < FIRST_UDP_KEY || this.#mayCarry(packet) ? this.#carried(packet, entry, key) : DONE;
  }

  /** Follows what a transport names, through AH and UDP, to the key of a packet inside; DONE where there is none. */
  #carried(packet: Packet, carrier: Entry, named: number): number {
    let entry = carrier;
    let key = named;
    for (let count = 1; count < MAX_TRANSPORT_HEADERS; count++) {
      if (entry.tunnel >= 0) this.#countTunnel(entry.tunnel, packet.wireLength);
      const space = key >>> SPACE_SHIFT;
      if (space < IP) return key;
      const next = space === UDP ? this.#findUdp(packet, key) : this.#find(key);
      if (space === IP) packet.transport = next === undefined ? OTHER : next.position;
      if (next === undefined) return space === IP ? stop(packet, TRANSPORT, UNSUPPORTED) : DONE;
      entry = next;
      key = entry.decode(packet);
      if (key < 0) return stop(packet, TRANSPORT, key);
    }
    return stop(packet, TRANSPORT, MALFORMED);
  }

  /** False for most UDP: neither port ends like a tunnel's. The table of keys would cost such a packet two cache misses. */
  #mayCarry({ sourcePort, destinationPort }: Packet): boolean {
    const endings = this.portEndings;
    return (u8(endings, sourcePort & 0xff) | u8(endings, destinationPort & 0xff)) !== 0;
  }

  #countTunnel(position: number, wireLength: number): void {
    add(this.#counters, this.#tunnelPackets + position, 1);
    add(this.#counters, this.#tunnelBytes + position, wireLength);
  }

  /** The tunnel of the destination port, else of the source port: answers come from there. */
  #findUdp(packet: Packet, key: number): Entry | undefined {
    return this.#find(key) ?? this.#find(udpKey(packet.sourcePort));
  }

  #find(key: number): Entry | undefined {
    return this.#entries[u8(this.#table, key)];
  }

  #claim(key: number, name: string): void {
    if (this.#table[key] !== 0) throw new NamError("INTERNAL", `${name}: key ${key} is taken`);
    this.#table[key] = this.#entries.length;
    if (key >= FIRST_UDP_KEY) this.portEndings[key & 0xff] = 1;
  }
}

function stop(packet: Packet, layer: number, reason: number): number {
  if (reason !== DONE) fault(packet, layer, reason);
  return DONE;
}

function entryOf(protocol: HeaderProtocol, context: DecodeContext): Entry {
  const { name, layer, carries } = protocol;
  const isTunnel = layer === "tunnel";
  const decode = protocol.create(context);
  const tunnel = isTunnel || carries === true ? tunnelNames.indexOf(name) : -1;
  if (isTunnel) return { decode, layer: TRANSPORT, position: OTHER, tunnel };
  let position = 0;
  if (layer === "network") position = networkNames.indexOf(name);
  if (layer === "transport") position = transportNames.indexOf(name);
  return { decode, layer: LAYERS.indexOf(layer), position, tunnel };
}
