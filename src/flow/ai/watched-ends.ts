// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet, PacketFacts } from "../../decode/packet.ts";
import { i32, u8, u16 } from "../../util/typed.ts";
import { type AiCall, PLAIN_TRANSPORT, QUIC_TRANSPORT } from "./ai-call.ts";
import { WATCHED } from "./watch-rows.ts";

const TCP = 6;
/** Words of an address. */
const WORDS = 4;
/** Positions in AI_TRANSPORTS. */
const TLS_HTTP1 = 0;
const TLS_OTHER = 1;

/** Between whom each watched flow is, by what, and to which name, by row: what its ClientHello or its request told. */
export class WatchedEnds {
  /** Which side of the flow the client is. */
  readonly #clientSide = new Uint8Array(WATCHED);
  readonly #clients = new Int32Array(WATCHED * WORDS);
  readonly #servers = new Int32Array(WATCHED * WORDS);
  readonly #ports = new Uint16Array(WATCHED);
  readonly #transports = new Uint8Array(WATCHED);
  readonly #hosts: string[] = new Array<string>(WATCHED).fill("");

  /** Keeps what the packet and its hello say. */
  begin(row: number, packet: Packet, { sni, alpn }: NonNullable<PacketFacts["hello"]>): void {
    this.#keep(row, packet, sni, transportOf(packet, alpn));
  }

  /** Keeps what a packet with a request in clear text says. */
  beginPlain(row: number, packet: Packet, host: string): void {
    this.#keep(row, packet, host, PLAIN_TRANSPORT);
  }

  #keep(row: number, packet: Packet, host: string, transport: number): void {
    this.#clientSide[row] = packet.flowSide;
    this.#hosts[row] = host;
    this.#ports[row] = packet.destinationPort;
    this.#transports[row] = transport;
    const at = row * WORDS;
    this.#clients[at] = packet.source0;
    this.#clients[at + 1] = packet.source1;
    this.#clients[at + 2] = packet.source2;
    this.#clients[at + 3] = packet.source3;
    this.#servers[at] = packet.destination0;
    this.#servers[at + 1] = packet.destination1;
    this.#servers[at + 2] = packet.destination2;
    this.#servers[at + 3] = packet.destination3;
  }

  isClient(row: number, side: number): boolean {
    return side === u8(this.#clientSide, row);
  }

  /** Position in AI_TRANSPORTS. */
  transport(row: number): number {
    return u8(this.#transports, row);
  }

  isQuic(row: number): boolean {
    return this.transport(row) === QUIC_TRANSPORT;
  }

  isPlain(row: number): boolean {
    return this.transport(row) === PLAIN_TRANSPORT;
  }

  /** Writes what is kept of a row to `call`. */
  read(row: number, call: AiCall): void {
    call.transport = this.transport(row);
    call.serverPort = u16(this.#ports, row);
    call.host = this.#hosts[row] as string;
    const at = row * WORDS;
    call.client0 = i32(this.#clients, at);
    call.client1 = i32(this.#clients, at + 1);
    call.client2 = i32(this.#clients, at + 2);
    call.client3 = i32(this.#clients, at + 3);
    call.server0 = i32(this.#servers, at);
    call.server1 = i32(this.#servers, at + 1);
    call.server2 = i32(this.#servers, at + 2);
    call.server3 = i32(this.#servers, at + 3);
  }
}

function transportOf(packet: Packet, alpn: string): number {
  if (packet.ipProtocol !== TCP) return QUIC_TRANSPORT;
  return alpn === "" || alpn === "http/1.1" ? TLS_HTTP1 : TLS_OTHER;
}
