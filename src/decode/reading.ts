// SPDX-License-Identifier: AGPL-3.0-or-later
import { u8 } from "../util/typed.ts";
import { type Packet, SETTLED_FLAG } from "./packet.ts";
import { GUESS_FLAG } from "./protocol.ts";
import type { Application } from "./recognition.ts";

const BYTES = 256;
const UDP = 17;

/** Which payloads of a flow are looked at, by the verdict about the flow and the payload's first byte. */
export class Reading {
  /** By verdict and first byte: 1 where the payload is read. */
  readonly #wanted = new Uint8Array(2 * SETTLED_FLAG * BYTES);
  /** By position: 1 where messages of the protocol are known by their first byte, over UDP and over TCP. */
  readonly #known = { udp: new Uint8Array(SETTLED_FLAG), tcp: new Uint8Array(SETTLED_FLAG) };

  /** `open` says by verdict where any payload may still change it. */
  constructor(applications: readonly Application[], open: Uint8Array) {
    for (const [verdict, isOpen] of open.entries()) {
      if (isOpen === 1) this.#want(verdict);
    }
    for (const application of applications) this.#add(application);
  }

  /** True where the payload, which holds at least one byte as sent, is to be read. */
  wants(packet: Packet, verdict: number): boolean {
    const { payloadAt } = packet;
    if (payloadAt >= packet.payloadEnd) return this.wantsByte(verdict, 0);
    return this.wantsByte(verdict, packet.view.getUint8(payloadAt));
  }

  wantsByte(verdict: number, firstByte: number): boolean {
    return u8(this.#wanted, verdict * BYTES + firstByte) !== 0;
  }

  /** SETTLED_FLAG for a protocol whose messages can be told by their first byte, over the packet's transport. */
  settles(packet: Packet, position: number): number {
    const known = packet.ipProtocol === UDP ? this.#known.udp : this.#known.tcp;
    return u8(known, position) === 0 ? 0 : SETTLED_FLAG;
  }

  #add({ position, protocol, decoder }: Application): void {
    const verdicts = [position, position | GUESS_FLAG];
    if (decoder.decode !== undefined) for (const verdict of verdicts) this.#want(verdict);
    for (const transport of ["udp", "tcp"] as const) {
      const bytes = protocol.firstBytes?.[transport] ?? [];
      const isKnown = bytes.length > 0 && protocol.startsOtherwise !== true;
      this.#known[transport][position] = isKnown ? 1 : 0;
      for (const verdict of verdicts) {
        for (const byte of bytes) this.#wanted[(verdict | SETTLED_FLAG) * BYTES + byte] = 1;
      }
    }
  }

  #want(verdict: number): void {
    this.#wanted.fill(1, verdict * BYTES, (verdict + 1) * BYTES);
  }
}
