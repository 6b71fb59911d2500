// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import { add } from "../util/typed.ts";
import { ASSEMBLY_BYTES, Assembly, assemblyMetric, GivenUp, NO_BUFFER } from "./assembly.ts";
import { bytesOf } from "./bytes.ts";
import { type ClientHelloNotes, createClientHelloNotes } from "./client-hello-notes.ts";
import type { Packet } from "./packet.ts";
import { type DecodeContext, Stop } from "./protocol.ts";
import {
  type CryptoStream,
  newConnection,
  type QuicConnection,
  QuicConnections,
} from "./quic-connections.ts";
import { CryptoFrames } from "./quic-frames.ts";
import type { LongHeader } from "./quic-header.ts";
import { initialKeys, type QuicVersion } from "./quic-keys.ts";
import { openInitial } from "./quic-protection.ts";
import { Ration } from "./ration.ts";
import { createServerHelloNotes, type ServerHelloNotes } from "./server-hello-notes.ts";

/** Initials decrypted a second: each costs some forty microseconds. */
const DECRYPTED_PER_SECOND = 4_000;
/** Hellos at once whose frames are put together: 1 MiB. */
const BUFFERS = 64;
const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
const MESSAGE_HEADER_LENGTH = 4;
const MESSAGE_LENGTH_MASK = 0xffffff;

const RESULTS = ["decrypted", "undecryptable", "unneeded", "skipped"] as const;
const Result = { DECRYPTED: 0, UNDECRYPTABLE: 1, UNNEEDED: 2, SKIPPED: 3 } as const;

export const quicInitials: MetricDefinition = {
  name: "nam_quic_initials_total",
  help: "QUIC Initial packets: decrypted; undecryptable, as when the connection's first packets were not seen; unneeded, its hello being known; skipped, because too many came in one second.",
  type: "counter",
  labels: { result: RESULTS },
};

export const quicAssembly: MetricDefinition = assemblyMetric("quic", "Hellos");

/** Decrypts the Initials of QUIC connections until both hellos are read. */
export class QuicInitials {
  readonly clientHellos: ClientHelloNotes;
  readonly serverHellos: ServerHelloNotes;
  readonly #counters: Float64Array;
  readonly #cells: number = 0;
  readonly #connections = new QuicConnections();
  readonly #pool: Assembly;
  readonly #ration = new Ration(DECRYPTED_PER_SECOND);
  readonly #frames = new CryptoFrames();

  constructor(context: DecodeContext) {
    this.clientHellos = context.shared(createClientHelloNotes);
    this.serverHellos = context.shared(createServerHelloNotes);
    this.#counters = context.counters;
    this.#cells = context.base(quicInitials);
    this.#pool = new Assembly(BUFFERS, context.counters, context.base(quicAssembly));
  }

  /** Reads the Initial that starts at `at`; returns a Stop. */
  initial(packet: Packet, header: LongHeader, at: number, version: QuicVersion): number {
    const known = this.#connections.find(packet);
    if (known !== undefined && streamOf(known, packet).isDone) return this.#count(Result.UNNEEDED);
    if (!this.#ration.take(packet)) return this.#count(Result.SKIPPED);
    if (known !== undefined) {
      const plain = openInitial(packet, header, at, streamOf(known, packet).keys);
      if (plain !== null) return this.#hello(packet, known, plain);
      if (known.clientSide !== packet.flowSide) return this.#count(Result.UNDECRYPTABLE);
    }
    // The first of a connection; or a Retry that was not seen, or another connection between the same ports.
    const connection = newConnection(packet, version, idOf(packet, header));
    const plain = openInitial(packet, header, at, connection.client.keys);
    if (plain === null) return this.#count(Result.UNDECRYPTABLE);
    this.#connections.keep(packet, connection);
    return this.#hello(packet, connection, plain);
  }

  /** A Retry: both sides' keys are from now on made from the id that the server chose (RFC 9001 §5.2). */
  retry(packet: Packet, header: LongHeader): void {
    const connection = this.#connections.find(packet);
    if (connection === undefined || connection.clientSide === packet.flowSide) return;
    if (connection.server.isDone) return;
    const { sourceAt, sourceLength } = header;
    const id = bytesOf(packet.view, sourceAt, sourceAt + sourceLength);
    const { client, server } = initialKeys(connection.version, id);
    connection.client.keys = client;
    connection.server.keys = server;
  }

  #count(result: number): number {
    add(this.#counters, this.#cells + result, 1);
    return Stop.DONE;
  }

  /** Takes the CRYPTO frames of a decrypted packet, and reads the hello when it is whole. */
  #hello(packet: Packet, connection: QuicConnection, plain: DataView): number {
    this.#count(Result.DECRYPTED);
    const stream = streamOf(connection, packet);
    const frames = this.#frames;
    let buffer = this.#pool.find(packet);
    frames.begin(plain);
    while (frames.next()) {
      if (buffer === NO_BUFFER) buffer = this.#pool.open(packet, 0);
      const { at, end, offset } = frames;
      const place = offset - stream.consumed;
      if (this.#pool.addFrom(buffer, packet, plain, at, end, place) < 0) {
        stream.isDone = true;
        return Stop.DONE;
      }
    }
    if (buffer !== NO_BUFFER) return this.#message(packet, connection, buffer);
    return frames.isMalformed ? Stop.MALFORMED : Stop.DONE;
  }

  #message(packet: Packet, connection: QuicConnection, buffer: number): number {
    const pool = this.#pool;
    const stream = streamOf(connection, packet);
    const length = pool.length(buffer);
    if (length < MESSAGE_HEADER_LENGTH) return Stop.DONE;
    const view = pool.view(buffer);
    const end = MESSAGE_HEADER_LENGTH + (view.getInt32(0) & MESSAGE_LENGTH_MASK);
    if (end > ASSEMBLY_BYTES) {
      pool.giveUp(buffer, GivenUp.BYTES);
      stream.isDone = true;
      return Stop.MALFORMED;
    }
    if (end > length) return Stop.DONE;
    pool.close(buffer);
    stream.isDone = true;
    stream.consumed += end;
    const type = view.getUint8(0);
    if (type === CLIENT_HELLO) return this.clientHellos.read(packet, "quic", view, 0, end);
    if (type !== SERVER_HELLO) return Stop.MALFORMED;
    const stop = this.serverHellos.read(packet, "quic", view, 0, end);
    if (stop === Stop.DONE && this.serverHellos.hello.isRetry) {
      connection.client.isDone = false;
      connection.server.isDone = false;
    }
    return stop;
  }
}

function streamOf(connection: QuicConnection, packet: Packet): CryptoStream {
  return packet.flowSide === connection.clientSide ? connection.client : connection.server;
}

function idOf(packet: Packet, { destinationAt, destinationLength }: LongHeader): Uint8Array {
  return bytesOf(packet.view, destinationAt, destinationAt + destinationLength);
}
