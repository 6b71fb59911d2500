// SPDX-License-Identifier: AGPL-3.0-or-later
// Two ends that talk, packet by packet, in a time of their own.
import type { Frame } from "../../src/capture/source.ts";
import { type Bytes, bytes, ethernet, frameOf, ipv4, tcp } from "../decode/frames.ts";

const START_SECONDS = 1_790_000_000;
const MSS = 1448;
const SYN = 0x02;
const FIN = 0x01;
const ACK = 0x10;
const PSH_ACK = 0x18;
const FIRST_SEQUENCES = { client: 1000, server: 0xffff_ff00 };

/** Between whom packets go. */
export interface Ends {
  readonly client?: string;
  readonly server?: string;
  readonly clientPort?: number;
  readonly serverPort?: number;
}

/** Takes frames, as CallBench and WrittenCapture do. */
export interface FrameTaker {
  frame(frame: Frame): void;
}

/** Time that several talks share, in milliseconds. */
export class TalkClock {
  nowMs = 0;
}

/** Packets between two ends at the clock's time. */
export abstract class Talk {
  readonly clock: TalkClock;
  /** True for the packets that are lost before the capture. */
  isLost: (packet: number) => boolean = () => false;
  readonly #ends: Required<Ends>;
  readonly #taker: FrameTaker;
  #packets = 0;

  constructor(taker: FrameTaker, ends: Ends, clock: TalkClock) {
    this.#taker = taker;
    this.clock = clock;
    const { client = "10.0.0.5", server = "198.51.100.20" } = ends;
    const { clientPort = 50_000, serverPort = 443 } = ends;
    this.#ends = { client, server, clientPort, serverPort };
  }

  wait(ms: number): void {
    this.clock.nowMs += ms;
  }

  /** Ports of a packet, for the header behind that of IP. */
  protected ports(isFromClient: boolean): { sourcePort: number; destinationPort: number } {
    const { clientPort, serverPort } = this.#ends;
    return isFromClient
      ? { sourcePort: clientPort, destinationPort: serverPort }
      : { sourcePort: serverPort, destinationPort: clientPort };
  }

  /** Of the frame the capture leaves out the last `cut` bytes. */
  protected packet(isFromClient: boolean, protocol: number, payload: Bytes, cut = 0): void {
    this.#packets++;
    if (this.isLost(this.#packets)) return;
    const { client, server } = this.#ends;
    const ends = isFromClient
      ? { source: client, destination: server }
      : { source: server, destination: client };
    const { nowMs } = this.clock;
    const whole = ethernet(0x0800, ipv4({ protocol, payload, ...ends }));
    this.#taker.frame(
      frameOf(whole.subarray(0, whole.length - cut), {
        wireLength: whole.length,
        seconds: START_SECONDS + Math.floor(nowMs / 1000),
        nanoseconds: Math.round((nowMs % 1000) * 1e6),
      }),
    );
  }
}

/** A TCP connection, whose handshake comes first. */
export class TcpTalk extends Talk {
  readonly #segmentBytes: number;
  readonly #next: { client: number; server: number };

  constructor(
    taker: FrameTaker,
    ends: Ends = {},
    clock = new TalkClock(),
    { segmentBytes = MSS, sequences = FIRST_SEQUENCES } = {},
  ) {
    super(taker, ends, clock);
    this.#segmentBytes = segmentBytes;
    this.#next = { ...sequences };
    this.segment(true, bytes(), SYN);
    this.segment(false, bytes(), SYN | ACK);
    this.segment(true, bytes(), ACK);
  }

  /** Bytes of the stream, in segments. */
  say(isFromClient: boolean, data: Bytes): void {
    for (let at = 0; at < data.length; at += this.#segmentBytes) {
      this.segment(isFromClient, data.subarray(at, at + this.#segmentBytes));
    }
  }

  /**
   * One segment; `back` bytes before the place where the stream stands, as a retransmission is. The capture leaves out its last
   * `cut` bytes.
   */
  segment(isFromClient: boolean, payload: Bytes, flags = PSH_ACK, back = 0, cut = 0): void {
    const side = isFromClient ? "client" : "server";
    const sequence = (this.#next[side] - back) >>> 0;
    const acknowledgment = this.#next[isFromClient ? "server" : "client"];
    const grows = payload.length + ((flags & (SYN | FIN)) === 0 ? 0 : 1);
    this.#next[side] += Math.max(0, grows - back);
    const header = { ...this.ports(isFromClient), sequence, acknowledgment, flags };
    this.packet(isFromClient, 6, tcp({ ...header, payload }), cut);
  }

  /** Bytes that neither the capture nor the other end ever gets. */
  lose(isFromClient: boolean, length: number): void {
    this.#next[isFromClient ? "client" : "server"] += length;
  }

  /** The client's FIN. */
  close(): void {
    this.segment(true, bytes(), FIN | ACK);
  }
}
