// SPDX-License-Identifier: AGPL-3.0-or-later
import { applicationNames } from "../../src/decode/families.ts";
import type { Packet } from "../../src/decode/packet.ts";
import { FlowDecoding } from "./flow-decoding.ts";
import { type Bytes, bytes, ethernet, frameOf, ipv4, tcp } from "./frames.ts";

const CLIENT = "192.168.0.10";
const SERVER = "198.51.100.7";
const SYN = 2;
const SYN_ACK = 0x12;
const PSH_ACK = 0x18;

/** One TCP connection between two ends, segment by segment, through the decoder and the flow table. */
export class Talk {
  readonly decoding: FlowDecoding;
  readonly #serverPort: number;
  readonly #clientPort: number;
  /** Sequence numbers wrap early on. */
  readonly #next = { client: 0xffffffc0, server: 0x7fffffe0 };
  #verdict = 0;
  #connections = 0;

  constructor(serverPort = 40_000, clientPort = 50_000, decoding = new FlowDecoding()) {
    this.decoding = decoding;
    this.#serverPort = serverPort;
    this.#clientPort = clientPort;
    this.#send("client", "", { flags: SYN });
    this.#send("server", "", { flags: SYN_ACK });
    this.#next.client++;
    this.#next.server++;
  }

  /** Another connection to the same port of the same server, through the same decoder. */
  connect(): Talk {
    const ports = ++this.#connections;
    return new Talk(this.#serverPort, this.#clientPort + ports, this.decoding);
  }

  client(payload: Bytes | string): Packet {
    return this.#advance("client", payload);
  }

  server(payload: Bytes | string): Packet {
    return this.#advance("server", payload);
  }

  /** The same, each byte in a segment of its own. */
  bytewise(side: "client" | "server", text: string): void {
    for (const byte of bytes(text)) this.#advance(side, bytes(byte));
  }

  /** Sends again what was sent `back` bytes ago. */
  again(side: "client" | "server", payload: Bytes | string, back: number): Packet {
    return this.#send(side, payload, { sequence: this.#next[side] - back });
  }

  /** Loses bytes on the way. */
  lose(side: "client" | "server", length: number): void {
    this.#next[side] += length;
  }

  /** A segment of which the capture kept `kept` bytes of payload. */
  cut(side: "client" | "server", payload: string, kept: number): Packet {
    const packet = this.#send(side, payload, { kept });
    this.#next[side] += payload.length;
    return packet;
  }

  /** Name of the protocol that the flow is known for by now, "none" while it is open; "guess" and a number for a guess. */
  get verdict(): string {
    return applicationNames[this.#verdict] ?? `guess ${this.#verdict}`;
  }

  get application(): string {
    return this.decoding.names().application;
  }

  value(metric: string, where: Readonly<Record<string, string>> = {}): number {
    return this.decoding.value(metric, where);
  }

  #advance(side: "client" | "server", payload: Bytes | string): Packet {
    const packet = this.#send(side, payload, {});
    this.#next[side] += payload.length;
    return packet;
  }

  #send(
    side: "client" | "server",
    payload: Bytes | string,
    options: { flags?: number; sequence?: number; kept?: number },
  ): Packet {
    const isClient = side === "client";
    const content = bytes(payload);
    const segment = tcp({
      sourcePort: isClient ? this.#clientPort : this.#serverPort,
      destinationPort: isClient ? this.#serverPort : this.#clientPort,
      sequence: options.sequence ?? this.#next[side],
      acknowledgment: this.#next[isClient ? "server" : "client"],
      flags: options.flags ?? PSH_ACK,
      payload: content,
    });
    const ends = isClient
      ? { source: CLIENT, destination: SERVER }
      : { source: SERVER, destination: CLIENT };
    const whole = ethernet(0x0800, ipv4({ protocol: 6, payload: segment, ...ends }));
    const captured = whole.subarray(
      0,
      whole.length - content.length + (options.kept ?? content.length),
    );
    this.#verdict = this.decoding.take(frameOf(captured, { wireLength: whole.length }));
    return this.decoding.packet;
  }
}
