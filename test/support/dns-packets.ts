// SPDX-License-Identifier: AGPL-3.0-or-later
import { DnsMessage } from "../../src/decode/dns-message.ts";
import { emptyPacket, type Packet } from "../../src/decode/packet.ts";
import { RegistrableDomains } from "../../src/decode/registrable-domain.ts";
import { dnsMessage, u16 } from "../decode/frames.ts";
import { APPLICATION_NAMES } from "./flow-harness.ts";
import { type End, Protocol, setPacket } from "./packets.ts";

export interface DnsFields {
  readonly id?: number;
  readonly name?: string;
  readonly type?: number;
  /** Missing for a query. */
  readonly rcode?: number;
  /** Bytes of the message, if more than it needs. */
  readonly bytes?: number;
}

const domains = new RegistrableDomains();

/** A packet with DNS messages in it, as the decoder leaves it; made anew by each call. */
export function dnsPacket(from: End, to: End, ...messages: readonly DnsFields[]): Packet {
  const facts = {
    ...{ packet: 0, count: messages.length, messages: messages.map(messageOf) },
    domainAt: (message: DnsMessage) => domains.startOf(message.name),
  };
  const packet = emptyPacket({ dns: facts });
  setPacket(packet, from, to, { ipProtocol: Protocol.UDP, payload: 40 });
  packet.application = APPLICATION_NAMES.indexOf("dns");
  facts.packet = packet.number;
  return packet;
}

function messageOf(fields: DnsFields): DnsMessage {
  const { id = 1, name = "www.example.com", type = 1, rcode } = fields;
  const flags = rcode === undefined ? 0x0100 : 0x8180 | rcode;
  const content = Buffer.from(dnsMessage({ flags, type, labels: name.split(".") }));
  content.set(u16(id));
  const message = new DnsMessage();
  const memory = Uint8Array.from(content);
  const sent = Math.max(fields.bytes ?? 0, memory.length);
  message.read(new DataView(memory.buffer), 0, memory.length, sent, false);
  return message;
}
