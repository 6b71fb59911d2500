// SPDX-License-Identifier: AGPL-3.0-or-later
import net from "node:net";
import { pcap } from "../../scripts/fixtures/capture-file.ts";
import { ethernet, ipv4, type TcpOptions, tcp } from "../decode/frames.ts";

interface Piece {
  readonly connection: number;
  readonly isFromClient: boolean;
  readonly data: Buffer;
  /** When it came by, microseconds since 1970. */
  readonly timeUs: number;
}

export interface Ends {
  readonly client: string;
  readonly server: string;
  /** Of the server in the capture, whichever the real one listens on. */
  readonly port: number;
}

const SYN = 2;
const SYN_ACK = 0x12;
const ACK = 0x10;
const PSH_ACK = 0x18;
const FIN_ACK = 0x11;
const MSS = 1448;
const FIRST_PORT = 40_000;
const START_US = Date.UTC(2026, 7, 1, 9, 0, 0) * 1000;
const STEP_US = 500;

/** Stands between a real client and a real server on loopback, and writes down what they say as a capture. */
export class RecordedTalks {
  readonly #pieces: Piece[] = [];
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  #connections = 0;

  private constructor(upstream: number) {
    this.#server = net.createServer((client) => this.#relay(client, upstream));
  }

  /** Listens for what is meant for the server on this port. */
  static async start(upstream: number): Promise<RecordedTalks> {
    const talks = new RecordedTalks(upstream);
    await new Promise<void>((resolve) => talks.#server.listen(0, "127.0.0.1", resolve));
    return talks;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /**
   * Everything said so far as a capture of TCP connections between these ends. Segments are half a millisecond apart,
   * so that captures are alike, unless they are to have another pace or the times at which they came by.
   */
  capture(ends: Ends, segmentBytes = MSS, pace: number | "real" = STEP_US): Buffer {
    const next = new Map<number, { client: number; server: number }>();
    const frames: { readonly data: Buffer; readonly timeUs: number }[] = [];
    let nowUs = 0;
    const send = (connection: number, isFromClient: boolean, flags: number, data: Buffer): void => {
      const at = next.get(connection) ?? { client: 1000, server: 5000 };
      next.set(connection, at);
      const sequence = isFromClient ? at.client : at.server;
      const acknowledgment = isFromClient ? at.server : at.client;
      const piece = { connection, isFromClient, data };
      frames.push({ data: frame(ends, piece, { flags, sequence, acknowledgment }), timeUs: nowUs });
      const length = data.length + ((flags & (SYN | 1)) === 0 ? 0 : 1);
      if (isFromClient) at.client += length;
      else at.server += length;
    };
    const nothing = Buffer.alloc(0);
    for (const { connection, isFromClient, data, timeUs } of this.#pieces) {
      nowUs = timeUs;
      if (!next.has(connection)) {
        send(connection, true, SYN, nothing);
        send(connection, false, SYN_ACK, nothing);
        send(connection, true, ACK, nothing);
      }
      for (let at = 0; at < data.length; at += segmentBytes) {
        send(connection, isFromClient, PSH_ACK, data.subarray(at, at + segmentBytes));
      }
    }
    for (const connection of next.keys()) send(connection, true, FIN_ACK, nothing);
    if (pace === "real") return pcap(frames);
    return pcap(frames.map(({ data }, at) => ({ timeUs: START_US + at * pace, data })));
  }

  #relay(client: net.Socket, upstream: number): void {
    const connection = this.#connections++;
    const server = net.connect(upstream, "127.0.0.1");
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.on("data", (data) => {
        const timeUs = Math.round((performance.timeOrigin + performance.now()) * 1000);
        this.#pieces.push({ connection, isFromClient: from === client, data, timeUs });
        to.write(data);
      });
      from.on("end", () => to.end());
      from.on("error", () => to.destroy());
      from.on("close", () => this.#sockets.delete(from));
    }
  }
}

function frame(
  { client, server, port }: Ends,
  { connection, isFromClient, data }: Omit<Piece, "timeUs">,
  header: Pick<TcpOptions, "flags" | "sequence" | "acknowledgment">,
): Buffer {
  const clientPort = FIRST_PORT + connection;
  const segment = tcp({
    ...header,
    sourcePort: isFromClient ? clientPort : port,
    destinationPort: isFromClient ? port : clientPort,
    payload: data,
  });
  const ends = isFromClient
    ? { source: client, destination: server }
    : { source: server, destination: client };
  return Buffer.from(ethernet(0x0800, ipv4({ protocol: 6, payload: segment, ...ends })));
}
