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

/** RFC 5905 §7.3; shorter ones are control (RFC 9327) and private messages. */
const HEADER_LENGTH = 48;
const CONTROL_LENGTH = 12;
const PRIVATE_LENGTH = 8;
/** Leap indicator, version, mode; of a private message response, more, version, mode. */
const MODE_MASK = 7;
const RESPONSE_BIT = 0x80;
/** Request code of a private message; ntpd's monlist is 20 or 42. */
const REQUEST_CODE_AT = 3;
const VERSION_MASK = 0x38;
const Mode = { CONTROL: 6, PRIVATE: 7 } as const;
/** Label values by mode number. */
const MODES = [
  ...["reserved", "symmetric_active", "symmetric_passive", "client", "server", "broadcast"],
  ...["control", "private"],
];

const messages: MetricDefinition = {
  name: "nam_ntp_messages_total",
  help: "NTP messages by mode; control (6) and private (7, monlist among them) are the ones that amplify.",
  type: "counter",
  labels: { mode: MODES },
};

declare module "./packet.ts" {
  interface PacketFacts {
    /** The last NTP message read; this packet's while `ntp.packet === packet.number`. */
    readonly ntp?: Readonly<NtpFacts>;
  }
}

/** What an NTP message tells, for trackers. */
export interface NtpFacts {
  packet: number;
  /** RFC 5905 figure 10. */
  mode: number;
  /** True for the answer to a control or private request. */
  isResponse: boolean;
  /** Of a private message, -1 otherwise. */
  requestCode: number;
}

/** NTP (RFC 5905), known by port. */
export const ntp: ApplicationProtocol = {
  name: "ntp",
  help: "NTP",
  layer: "application",
  ports: { udp: [123] },
  metrics: [messages],
  create,
};

function create(context: DecodeContext): ApplicationDecoder {
  const { counters } = context;
  const cells = context.base(messages);
  const facts: NtpFacts = { packet: -1, mode: 0, isResponse: false, requestCode: -1 };

  function decode(packet: Packet): number {
    const { view, payloadAt } = packet;
    const captured = packet.payloadEnd - payloadAt;
    if (captured < PRIVATE_LENGTH) return short(packet);
    const first = view.getUint8(payloadAt);
    const mode = first & MODE_MASK;
    // No version has the number 0.
    if ((first & VERSION_MASK) === 0) return Stop.MALFORMED;
    if (captured < lengthOf(mode)) return short(packet);
    add(counters, cells + mode, 1);
    facts.packet = packet.number;
    facts.mode = mode;
    facts.requestCode = mode === Mode.PRIVATE ? view.getUint8(payloadAt + REQUEST_CODE_AT) : -1;
    const flags = mode === Mode.CONTROL ? view.getUint8(payloadAt + 1) : first;
    facts.isResponse = mode >= Mode.CONTROL && (flags & RESPONSE_BIT) !== 0;
    return Stop.DONE;
  }

  return { decode, facts: { ntp: facts } };
}

function lengthOf(mode: number): number {
  if (mode === Mode.PRIVATE) return PRIVATE_LENGTH;
  return mode === Mode.CONTROL ? CONTROL_LENGTH : HEADER_LENGTH;
}
