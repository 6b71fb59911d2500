// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import { type InitialKeys, initialKeys, type QuicVersion } from "./quic-keys.ts";

/** Connections whose handshake goes on at once; a newer one takes the place of an older one with the same hash. */
const ROWS = 2048;
const SPREAD = 0x9e3779b1;
const SHIFT = 32 - Math.log2(ROWS);

/** What is known of one side's CRYPTO stream. */
export interface CryptoStream {
  keys: InitialKeys;
  /** Bytes of messages that were read. */
  consumed: number;
  /** True when its hello was read or given up. */
  isDone: boolean;
}

/** A QUIC connection during its handshake. */
export interface QuicConnection {
  readonly identity: number;
  /** Which side of the flow the client is. */
  readonly clientSide: number;
  readonly version: QuicVersion;
  /** Packets of the flow at the last look: fewer now means another flow in its slot. */
  flowPackets: number;
  readonly client: CryptoStream;
  readonly server: CryptoStream;
}

/** The handshakes that are going on, by flow, in a table of fixed size. */
export class QuicConnections {
  readonly #rows: (QuicConnection | undefined)[] = new Array(ROWS).fill(undefined);

  /** The connection of the packet's flow; a packet without a flow is alone. */
  find(packet: Packet): QuicConnection | undefined {
    if (packet.flow < 0) return undefined;
    const connection = this.#rows[rowOf(packet)];
    if (connection === undefined || connection.identity !== identityOf(packet)) return undefined;
    if (packet.flowPackets < connection.flowPackets) return undefined;
    connection.flowPackets = packet.flowPackets;
    return connection;
  }

  keep(packet: Packet, connection: QuicConnection): void {
    this.#rows[rowOf(packet)] = connection;
  }
}

/** The connection whose client sent the packet, its first Initial, to `connectionId`. */
export function newConnection(
  packet: Packet,
  version: QuicVersion,
  connectionId: Uint8Array,
): QuicConnection {
  const { client, server } = initialKeys(version, connectionId);
  return {
    identity: identityOf(packet),
    clientSide: packet.flowSide,
    version,
    flowPackets: packet.flowPackets,
    client: { keys: client, consumed: 0, isDone: false },
    server: { keys: server, consumed: 0, isDone: false },
  };
}

function rowOf(packet: Packet): number {
  return Math.imul(packet.flow, SPREAD) >>> SHIFT;
}

/** The same in both directions. */
function identityOf(packet: Packet): number {
  const addresses = packet.source3 ^ packet.destination3 ^ packet.source1 ^ packet.destination1;
  const ports = packet.sourcePort + packet.destinationPort;
  return (Math.imul(addresses, SPREAD) ^ Math.imul(ports, SPREAD) ^ packet.flow) | 0;
}
