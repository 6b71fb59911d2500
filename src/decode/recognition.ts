// SPDX-License-Identifier: AGPL-3.0-or-later
import { NamError } from "../util/errors.ts";
import { u8 } from "../util/typed.ts";
import { OTHER } from "./families.ts";
import type { Packet } from "./packet.ts";
import type { ApplicationDecoder, ApplicationProtocol } from "./protocol.ts";
import { TCP_NUMBER } from "./tcp.ts";

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

/** Says which application protocol a payload belongs to: by its bytes first, by either side's port second. */
export class Recognition {
  readonly #tcpPayload: readonly (readonly Candidate[])[];
  readonly #udpPayload: readonly (readonly Candidate[])[];
  readonly #tcpPorts: Uint8Array;
  readonly #udpPorts: Uint8Array;

  /** Throws INTERNAL where two protocols claim one port. */
  constructor(applications: readonly Application[]) {
    this.#tcpPayload = candidates(applications, "tcp");
    this.#udpPayload = candidates(applications, "udp");
    this.#tcpPorts = ports(applications, "tcp");
    this.#udpPorts = ports(applications, "udp");
  }

  /** Position of the protocol that the captured payload proves, 0 where it proves none. */
  byPayload(packet: Packet): number {
    const { payloadAt } = packet;
    if (payloadAt >= packet.payloadEnd) return 0;
    const lists = packet.ipProtocol === TCP_NUMBER ? this.#tcpPayload : this.#udpPayload;
    const list = lists[packet.view.getUint8(payloadAt)];
    if (list === undefined) return 0;
    for (let i = 0; i < list.length; i++) {
      const candidate = list[i] as Candidate;
      if (candidate.recognises(packet)) return candidate.position;
    }
    return 0;
  }

  /** Position of the protocol of the lower known port, OTHER without one: the same in both directions. */
  byPort(packet: Packet): number {
    const table = packet.ipProtocol === TCP_NUMBER ? this.#tcpPorts : this.#udpPorts;
    const { sourcePort, destinationPort } = packet;
    const low = Math.min(sourcePort, destinationPort);
    const position = u8(table, low);
    if (position !== 0) return position;
    const high = u8(table, Math.max(sourcePort, destinationPort));
    return high !== 0 ? high : OTHER;
  }
}

function candidates(applications: readonly Application[], transport: Transport): Candidate[][] {
  const byFirstByte: Candidate[][] = Array.from({ length: 256 }, () => []);
  for (const { position, protocol, decoder } of applications) {
    const { recognises } = decoder;
    if (recognises === undefined) continue;
    for (const byte of protocol.firstBytes?.[transport] ?? []) {
      byFirstByte[byte]?.push({ position, recognises });
    }
  }
  return byFirstByte;
}

function ports(applications: readonly Application[], transport: Transport): Uint8Array {
  const table = new Uint8Array(0x10000);
  for (const { position, protocol } of applications) {
    for (const port of protocol.ports[transport] ?? []) {
      if (table[port] !== 0) {
        throw new NamError("INTERNAL", `${protocol.name}: ${transport} port ${port} is taken`);
      }
      table[port] = position;
    }
  }
  return table;
}
