// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Frame } from "../../src/capture/source.ts";
import { applicationNames } from "../../src/decode/families.ts";
import type { Packet } from "../../src/decode/packet.ts";
import { type FrameTaker, TalkClock, TcpTalk } from "../support/talk.ts";
import { FlowDecoding } from "./flow-decoding.ts";
import { type Bytes, bytes } from "./frames.ts";

const ENDS = { client: "192.168.0.10", server: "198.51.100.7" };
/** Sequence numbers wrap early on. */
const SEQUENCES = { client: 0xffffffc0, server: 0x7fffffe0 };

type Side = "client" | "server";

/** One TCP connection between two ends, segment by segment, through the decoder and the flow table. */
export class Talk implements FrameTaker {
  readonly decoding: FlowDecoding;
  readonly #serverPort: number;
  readonly #clientPort: number;
  readonly #talk: TcpTalk;
  #verdict = 0;
  #connections = 0;

  constructor(serverPort = 40_000, clientPort = 50_000, decoding = new FlowDecoding()) {
    this.decoding = decoding;
    this.#serverPort = serverPort;
    this.#clientPort = clientPort;
    const ends = { ...ENDS, serverPort, clientPort };
    this.#talk = new TcpTalk(this, ends, new TalkClock(), { sequences: SEQUENCES });
  }

  /** Another connection to the same port of the same server, through the same decoder. */
  connect(): Talk {
    const ports = ++this.#connections;
    return new Talk(this.#serverPort, this.#clientPort + ports, this.decoding);
  }

  /** As FrameTaker. */
  frame(frame: Frame): void {
    this.#verdict = this.decoding.take(frame);
  }

  client(payload: Bytes | string): Packet {
    return this.#send("client", payload);
  }

  server(payload: Bytes | string): Packet {
    return this.#send("server", payload);
  }

  /** The same, each byte in a segment of its own. */
  bytewise(side: Side, text: string): void {
    for (const byte of bytes(text)) this.#send(side, bytes(byte));
  }

  /** Sends again what was sent `back` bytes ago. */
  again(side: Side, payload: Bytes | string, back: number): Packet {
    return this.#send(side, payload, back);
  }

  /** Loses bytes on the way. */
  lose(side: Side, length: number): void {
    this.#talk.lose(side === "client", length);
  }

  /** A segment of which the capture kept `kept` bytes of payload. */
  cut(side: Side, payload: string, kept: number): Packet {
    return this.#send(side, payload, 0, payload.length - kept);
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

  #send(side: Side, payload: Bytes | string, back = 0, cut = 0): Packet {
    this.#talk.segment(side === "client", bytes(payload), undefined, back, cut);
    return this.decoding.packet;
  }
}
