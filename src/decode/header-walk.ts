// SPDX-License-Identifier: AGPL-3.0-or-later
import { NamError } from "../util/errors.ts";
import { u8 } from "../util/typed.ts";
import { networkNames, OTHER, transportNames } from "./families.ts";
import { Fragment } from "./ip-datagram.ts";
import type { Packet } from "./packet.ts";
import {
  type DecodeContext,
  fault,
  type HeaderProtocol,
  KEY_SPACES,
  LAYERS,
  LayerIndex,
  Stop,
} from "./protocol.ts";

/** A header protocol at work: its decoder, and where its packets are counted. */
interface Entry {
  readonly decode: (packet: Packet) => number;
  readonly layer: number;
  /** Position in the family of its layer; 0 for links, which have none. */
  readonly position: number;
}

// Imported objects are looked up each time they are named; constants of the file are not.
const { LINK, NETWORK, TRANSPORT } = LayerIndex;
const { DONE, MALFORMED, UNSUPPORTED } = Stop;
const { LATER } = Fragment;

const SPACE_SHIFT = 16;
/** Headers before the network layer: more than any real stack of tags, and a bound for nested ones. */
const MAX_LINK_HEADERS = 8;

/** Walks a frame from header to header: one byte of table a key leads to the decoder. */
export class HeaderWalk {
  readonly #table = new Uint8Array(KEY_SPACES << SPACE_SHIFT);
  /** Position 0 is every key without a decoder. */
  readonly #entries: (Entry | undefined)[] = [undefined];

  /** Throws INTERNAL where two protocols claim one key. */
  constructor(protocols: readonly HeaderProtocol[], context: DecodeContext) {
    for (const protocol of protocols) {
      for (const key of protocol.keys) this.#claim(key, protocol.name);
      this.#entries.push(entryOf(protocol, context));
    }
  }

  /**
   * Decodes the headers of the frame in `packet`, beginning with the one that `firstKey` names. Each layer has its
   * own call site, so that the JIT sees few targets at each.
   */
  run(packet: Packet, firstKey: number): void {
    let key = firstKey;
    let entry = this.#find(key);
    for (let count = 0; entry !== undefined && entry.layer === LINK; count++) {
      key = count < MAX_LINK_HEADERS ? entry.decode(packet) : MALFORMED;
      if (key < 0) {
        stop(packet, LINK, key);
        return;
      }
      entry = this.#find(key);
    }
    if (entry === undefined) {
      stop(packet, key >>> SPACE_SHIFT, UNSUPPORTED);
      return;
    }
    packet.network = entry.position;
    key = entry.decode(packet);
    if (key < 0) {
      stop(packet, NETWORK, key);
      return;
    }
    entry = this.#find(key);
    if (entry === undefined) {
      packet.transport = OTHER;
      stop(packet, TRANSPORT, UNSUPPORTED);
      return;
    }
    packet.transport = entry.position;
    if (packet.fragment !== LATER) stop(packet, TRANSPORT, entry.decode(packet));
  }

  #find(key: number): Entry | undefined {
    return this.#entries[u8(this.#table, key)];
  }

  #claim(key: number, name: string): void {
    if (this.#table[key] !== 0) throw new NamError("INTERNAL", `${name}: key ${key} is taken`);
    this.#table[key] = this.#entries.length;
  }
}

function stop(packet: Packet, layer: number, reason: number): void {
  if (reason !== DONE) fault(packet, layer, reason);
}

function entryOf(protocol: HeaderProtocol, context: DecodeContext): Entry {
  const { name, layer } = protocol;
  let position = 0;
  if (layer === "network") position = networkNames.indexOf(name);
  if (layer === "transport") position = transportNames.indexOf(name);
  return { decode: protocol.create(context), layer: LAYERS.indexOf(layer), position };
}
