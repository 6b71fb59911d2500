// SPDX-License-Identifier: AGPL-3.0-or-later
import { NamError } from "../util/errors.ts";
import { u8, u16 } from "../util/typed.ts";
import { NONE, OTHER } from "./families.ts";
import type { Packet } from "./packet.ts";
import type { ApplicationDecoder, ApplicationProtocol } from "./protocol.ts";

/** An application protocol at work: its position in the family, and its decoder. */
export interface Application {
  readonly position: number;
  readonly protocol: ApplicationProtocol;
  readonly decoder: ApplicationDecoder;
}

interface Candidate {
  readonly position: number;
  readonly recognises: (packet: Packet) => boolean;
}

type Transport = "tcp" | "udp";

// Imports are looked up each time they are named; constants of the file are not.
const UNKNOWN = OTHER;
const UNPROVED = NONE;

/**
 * Says which application protocol a payload over one transport belongs to: by its bytes first, by either side's
 * port second. Throws INTERNAL where two protocols claim one port.
 */
export class Recognition {
  /** By first byte: 0, or 1 + the index of the protocols that may begin with it. */
  readonly #firstBytes = new Uint16Array(256);
  readonly #candidates: Candidate[][] = [];
  /** By port: position of its protocol, or 0. */
  readonly #ports = new Uint8Array(0x10000);

  constructor(applications: readonly Application[], transport: Transport) {
    for (const application of applications) {
      this.#addFirstBytes(application, transport);
      this.#addPorts(application, transport);
    }
  }

  /**
   * Position of the protocol that the captured payload proves, NONE where it proves none. `wanted` has, from `from` on, a
   * 1 at the position of each protocol that is asked for.
   */
  byPayload(packet: Packet, wanted: Uint8Array, from: number): number {
    const { payloadAt } = packet;
    if (payloadAt >= packet.payloadEnd) return UNPROVED;
    const list = u16(this.#firstBytes, packet.view.getUint8(payloadAt));
    return list === 0 ? UNPROVED : this.#prove(packet, list - 1, wanted, from);
  }

  /** Position of the protocol of the lower known port, OTHER without one: the same in both directions. */
  byPort(packet: Packet): number {
    const { sourcePort, destinationPort } = packet;
    const low = u8(this.#ports, Math.min(sourcePort, destinationPort));
    if (low !== 0) return low;
    const high = u8(this.#ports, Math.max(sourcePort, destinationPort));
    return high === 0 ? UNKNOWN : high;
  }

  #prove(packet: Packet, list: number, wanted: Uint8Array, from: number): number {
    const candidates = this.#candidates[list] as Candidate[];
    for (let i = 0; i < candidates.length; i++) {
      const candidate = candidates[i] as Candidate;
      if (u8(wanted, from + candidate.position) === 0) continue;
      if (candidate.recognises(packet)) return candidate.position;
    }
    return UNPROVED;
  }

  #addFirstBytes({ position, protocol, decoder }: Application, transport: Transport): void {
    const { recognises } = decoder;
    if (recognises === undefined) return;
    for (const byte of protocol.firstBytes?.[transport] ?? []) {
      const list = this.#firstBytes[byte] || this.#candidates.push([]);
      this.#firstBytes[byte] = list;
      this.#candidates[list - 1]?.push({ position, recognises });
    }
  }

  #addPorts({ position, protocol }: Application, transport: Transport): void {
    for (const port of protocol.ports[transport] ?? []) {
      if (this.#ports[port] !== 0) {
        throw new NamError("INTERNAL", `${protocol.name}: ${transport} port ${port} is taken`);
      }
      this.#ports[port] = position;
    }
  }
}
