// SPDX-License-Identifier: AGPL-3.0-or-later
import { i32 } from "../util/typed.ts";
import { payloadSequence } from "./assembly.ts";
import type { Packet } from "./packet.ts";

const SPREAD = 0x9e3779b1;
/** 96 KiB: the streams of the last seconds, not all there are. */
const ROWS = 1 << 13;
const SHIFT = 32 - 13;

/**
 * Remembers of which streams (one side of a flow) everything of interest has been read, so that a retransmitted
 * hello is not counted again and the rest of a handshake is left alone. Forgetting is harmless: newer streams
 * overwrite older ones.
 */
export class ReadStreams {
  readonly #streams = new Int32Array(ROWS);
  readonly #sequences = new Int32Array(ROWS);
  /** Packets of the flow when it was noted: fewer now means another connection between the same ports. */
  readonly #flowPackets = new Int32Array(ROWS);

  /** `sequence`: where in the stream the message began. */
  add(packet: Packet, sequence: number): void {
    if (packet.flow < 0) return;
    const row = rowOf(packet, packet.flowSide);
    this.#streams[row] = streamOf(packet);
    this.#sequences[row] = sequence;
    this.#flowPackets[row] = packet.flowPackets;
  }

  has(packet: Packet): boolean {
    const row = rowOf(packet, packet.flowSide);
    return packet.flow >= 0 && this.#holds(row, streamOf(packet), packet);
  }

  /** True when both sides of the packet's flow have been read. */
  hasBoth(packet: Packet): boolean {
    const row = rowOf(packet, 1 - packet.flowSide);
    return this.has(packet) && this.#holds(row, oppositeOf(packet), packet);
  }

  /** True when the packet begins where a message that was read began. */
  isRepeated(packet: Packet): boolean {
    return (
      this.has(packet) &&
      i32(this.#sequences, rowOf(packet, packet.flowSide)) === payloadSequence(packet)
    );
  }

  #holds(row: number, stream: number, { flowPackets }: Packet): boolean {
    return i32(this.#streams, row) === stream && i32(this.#flowPackets, row) <= flowPackets;
  }
}

function rowOf(packet: Packet, side: number): number {
  return Math.imul((packet.flow << 1) | side, SPREAD) >>> SHIFT;
}

/** The stream as one number that is not 0. */
function streamOf(packet: Packet): number {
  const ports = packet.sourcePort | (packet.destinationPort << 16);
  return numberOf(packet.source3, packet.destination3, ports, packet.flow);
}

/** The other side's stream. */
function oppositeOf(packet: Packet): number {
  const ports = packet.destinationPort | (packet.sourcePort << 16);
  return numberOf(packet.destination3, packet.source3, ports, packet.flow);
}

function numberOf(source: number, destination: number, ports: number, flow: number): number {
  return Math.imul(source ^ ports, SPREAD) ^ destination ^ ((flow << 1) | 1);
}
