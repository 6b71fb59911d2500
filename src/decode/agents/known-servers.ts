// SPDX-License-Identifier: AGPL-3.0-or-later
import { i32 } from "../../util/typed.ts";
import type { Packet } from "../packet.ts";
import { hashByte } from "./text-hash.ts";

/** What a server has shown by its answers, as bits above those of the parts of ACP (paths.ts). */
export const Shown = { A2A: 0x100, OLLAMA: 0x200 } as const;

const ROWS = 1024;
const SHIFT = 22;
const SPREAD = 0x9e3779b1;
/** Address, port, and the bits shown. */
const WORDS = 6;
const PORT = 4;
const BITS = 5;
/** An endpoint's mixed hash, and 1 where somebody has posted to it. */
const ENDPOINT_WORDS = 2;

/**
 * What servers were seen to speak on other connections: some bits a server, and the endpoints that MCP of 2024-11-05 named
 * to its clients. Tables of fixed size in which newer ones overwrite older ones: forgetting costs recognition, no more.
 */
export class KnownServers {
  /** Endpoints noted so far; while there are none, nobody has to ask. */
  endpoints = 0;
  readonly #servers = new Int32Array(ROWS * WORDS);
  readonly #endpoints = new Int32Array(ROWS * ENDPOINT_WORDS);

  /** Bits of Shown, and of ACP_ROOTS, of the server that the packet goes to, or comes from. */
  shown(packet: Packet, isFromServer: boolean): number {
    const at = this.#find(packet, isFromServer);
    return this.#isOwn(at, packet, isFromServer) ? i32(this.#servers, at + BITS) : 0;
  }

  /** Notes that it has shown something; returns all it has shown. */
  note(packet: Packet, isFromServer: boolean, bits: number): number {
    const servers = this.#servers;
    const at = this.#find(packet, isFromServer);
    if (!this.#isOwn(at, packet, isFromServer)) {
      servers[at] = isFromServer ? packet.source0 : packet.destination0;
      servers[at + 1] = isFromServer ? packet.source1 : packet.destination1;
      servers[at + 2] = isFromServer ? packet.source2 : packet.destination2;
      servers[at + 3] = isFromServer ? packet.source3 : packet.destination3;
      servers[at + PORT] = isFromServer ? packet.sourcePort : packet.destinationPort;
      servers[at + BITS] = 0;
    }
    servers[at + BITS] = i32(servers, at + BITS) | bits;
    return i32(servers, at + BITS);
  }

  /** Notes an endpoint by its hash. */
  addEndpoint(packet: Packet, isFromServer: boolean, endpoint: number): void {
    const mixed = mix(packet, isFromServer, endpoint);
    const at = (mixed >>> SHIFT) * ENDPOINT_WORDS;
    if (this.#endpoints[at] === mixed) return;
    this.#endpoints[at] = mixed;
    this.#endpoints[at + 1] = 0;
    this.endpoints++;
  }

  /** 0 where the server never named this endpoint, 1 where nobody has posted to it yet, 2 from then on. */
  useOfEndpoint(packet: Packet, isFromServer: boolean, endpoint: number): number {
    const mixed = mix(packet, isFromServer, endpoint);
    const at = (mixed >>> SHIFT) * ENDPOINT_WORDS;
    if (endpoint === 0 || this.#endpoints[at] !== mixed) return 0;
    return i32(this.#endpoints, at + 1) + 1;
  }

  markUsed(packet: Packet, isFromServer: boolean, endpoint: number): void {
    const at = (mix(packet, isFromServer, endpoint) >>> SHIFT) * ENDPOINT_WORDS;
    this.#endpoints[at + 1] = 1;
  }

  #find(packet: Packet, isFromServer: boolean): number {
    return (mix(packet, isFromServer, 0) >>> SHIFT) * WORDS;
  }

  #isOwn(at: number, packet: Packet, isFromServer: boolean): boolean {
    const servers = this.#servers;
    const port = isFromServer ? packet.sourcePort : packet.destinationPort;
    if (i32(servers, at + PORT) !== port) return false;
    return isFromServer
      ? i32(servers, at) === packet.source0 &&
          i32(servers, at + 1) === packet.source1 &&
          i32(servers, at + 2) === packet.source2 &&
          i32(servers, at + 3) === packet.source3
      : i32(servers, at) === packet.destination0 &&
          i32(servers, at + 1) === packet.destination1 &&
          i32(servers, at + 2) === packet.destination2 &&
          i32(servers, at + 3) === packet.destination3;
  }
}

/** The server and a hash as one number. */
function mix(packet: Packet, isFromServer: boolean, hash: number): number {
  const { sourcePort, destinationPort } = packet;
  let mixed = hashByte(hash, isFromServer ? sourcePort : destinationPort);
  mixed = hashByte(mixed, isFromServer ? packet.source0 : packet.destination0);
  mixed = hashByte(mixed, isFromServer ? packet.source1 : packet.destination1);
  mixed = hashByte(mixed, isFromServer ? packet.source2 : packet.destination2);
  mixed = hashByte(mixed, isFromServer ? packet.source3 : packet.destination3);
  return Math.imul(mixed ^ (mixed >>> 15), SPREAD);
}
