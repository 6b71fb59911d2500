// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import { add } from "../util/typed.ts";
import type { Packet } from "./packet.ts";
import {
  type ApplicationDecoder,
  type ApplicationProtocol,
  type DecodeContext,
  Stop,
  short,
} from "./protocol.ts";

/** RFC 2131 §2. */
const OPERATION_AT = 0;
const YOUR_ADDRESS_AT = 16;
const RELAY_ADDRESS_AT = 24;
const CLIENT_HARDWARE_AT = 28;
const COOKIE_AT = 236;
const OPTIONS_AT = 240;
const MAGIC_COOKIE = 0x63825363;
const REQUEST = 1;
const REPLY = 2;
/** RFC 2132: options that are read. */
const Option = { PAD: 0, ROUTER: 3, DNS: 6, TYPE: 53, SERVER: 54, END: 255 } as const;
/** Options and padding that are looked at. */
const OPTIONS_MAX = 128;
const ADDRESS_LENGTH = 4;
/** Message types of RFC 2132 §9.6 by number; "bootp" has none, "other" is any other. */
const TYPES = [
  ...["bootp", "discover", "offer", "request", "decline", "ack", "nak", "release", "inform"],
  "other",
];
const OTHER_TYPE = TYPES.length - 1;

const messages: MetricDefinition = {
  name: "nam_dhcp_messages_total",
  help: "DHCP messages by type.",
  type: "counter",
  labels: { type: TYPES },
};

declare module "./packet.ts" {
  interface PacketFacts {
    /** The last DHCP message read; this packet's while `dhcp.packet === packet.number`. */
    readonly dhcp?: Readonly<DhcpFacts>;
  }
}

/** What a DHCP message tells, for trackers. The server's MAC is that of the frame. Addresses are words, 0 where absent. */
export interface DhcpFacts {
  packet: number;
  isReply: boolean;
  /** RFC 2132 §9.6; 0 for BOOTP. */
  type: number;
  /** The client's hardware address: its first two bytes, and the four behind them. */
  clientMac0: number;
  clientMac1: number;
  /** The address given to the client. */
  yourAddress: number;
  /** The relay agent that carried the message (RFC 2131 §2, giaddr). */
  relayAddress: number;
  serverAddress: number;
  /** The first router and the first DNS server that are offered. */
  router: number;
  dnsServer: number;
}

/** DHCP and BOOTP (RFC 2131), known by the magic cookie of DHCP, or by port. */
export const dhcp: ApplicationProtocol = {
  name: "dhcp",
  help: "DHCP",
  layer: "application",
  ports: { udp: [67, 68] },
  firstBytes: { udp: [REQUEST, REPLY] },
  metrics: [messages],
  create,
};

function create(context: DecodeContext): ApplicationDecoder {
  const { counters } = context;
  const cells = context.base(messages);
  const facts: DhcpFacts = {
    packet: -1,
    isReply: false,
    type: 0,
    clientMac0: 0,
    clientMac1: 0,
    yourAddress: 0,
    relayAddress: 0,
    serverAddress: 0,
    router: 0,
    dnsServer: 0,
  };

  function decode(packet: Packet): number {
    const { view, payloadAt } = packet;
    if (packet.payloadEnd - payloadAt < COOKIE_AT) return short(packet);
    const operation = view.getUint8(payloadAt + OPERATION_AT);
    if (operation !== REQUEST && operation !== REPLY) return Stop.MALFORMED;
    facts.packet = packet.number;
    facts.isReply = operation === REPLY;
    facts.type = 0;
    facts.clientMac0 = view.getUint16(payloadAt + CLIENT_HARDWARE_AT);
    facts.clientMac1 = view.getInt32(payloadAt + CLIENT_HARDWARE_AT + 2);
    facts.yourAddress = view.getInt32(payloadAt + YOUR_ADDRESS_AT);
    facts.relayAddress = view.getInt32(payloadAt + RELAY_ADDRESS_AT);
    facts.serverAddress = 0;
    facts.router = 0;
    facts.dnsServer = 0;
    const stop = holdsCookie(packet) ? options(packet) : Stop.DONE;
    add(counters, cells + Math.min(facts.type, OTHER_TYPE), 1);
    return stop;
  }

  /** Many senders leave out the end option, so the message's end will do. */
  function options(packet: Packet): number {
    const { view, payloadEnd } = packet;
    let at = packet.payloadAt + OPTIONS_AT;
    for (let count = 0; at < payloadEnd; count++) {
      if (count === OPTIONS_MAX) return Stop.UNSUPPORTED;
      const code = view.getUint8(at);
      if (code === Option.END) return Stop.DONE;
      if (code === Option.PAD) {
        at++;
        continue;
      }
      if (at + 2 > payloadEnd) return short(packet);
      const length = view.getUint8(at + 1);
      if (at + 2 + length > payloadEnd) return short(packet);
      option(view, code, at + 2, length);
      at += 2 + length;
    }
    return packet.cut ? Stop.TRUNCATED : Stop.DONE;
  }

  function option(view: DataView, code: number, at: number, length: number): void {
    if (code === Option.TYPE) {
      if (length === 1) facts.type = view.getUint8(at);
    } else if (length >= ADDRESS_LENGTH) {
      if (code === Option.ROUTER) facts.router = view.getInt32(at);
      else if (code === Option.DNS) facts.dnsServer = view.getInt32(at);
      else if (code === Option.SERVER) facts.serverAddress = view.getInt32(at);
    }
  }

  return { recognises, decode, facts: { dhcp: facts } };
}

function recognises(packet: Packet): boolean {
  return holdsCookie(packet);
}

function holdsCookie({ view, payloadAt, payloadEnd }: Packet): boolean {
  if (payloadEnd - payloadAt < OPTIONS_AT) return false;
  return view.getInt32(payloadAt + COOKIE_AT) === MAGIC_COOKIE;
}
