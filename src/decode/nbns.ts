// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "./packet.ts";
import { type ApplicationDecoder, type ApplicationProtocol, Stop, short } from "./protocol.ts";
import { WireText } from "./wire-text.ts";

/** RFC 1002 §4.2: the header of DNS, then a first-level encoded name of 32 letters behind its length. */
const FLAGS_AT = 2;
const HEADER_LENGTH = 12;
const NAME_LENGTH = 32;
const LETTER_A = 0x41;
/** The last of 16 bytes says what the name is for; blanks fill the others. */
const LETTERS_SHOWN = 30;
const BLANK = 0x20;
const NOTHING_SPECIAL = 0;

declare module "./packet.ts" {
  interface PacketFacts {
    /** The last NetBIOS name message read; this packet's while `nbns.packet === packet.number`. */
    readonly nbns?: Readonly<NbnsFacts>;
  }
}

/** What a NetBIOS name message tells, for trackers. */
export interface NbnsFacts {
  packet: number;
  isResponse: boolean;
  /** 0 query, 5 registration, 6 release, 7 wait, 8 refresh (RFC 1002 §4.2.1.1). */
  operation: number;
  /** The name asked about, or answered; null where it cannot be read. Makes a string. */
  name(packet: Packet): string | null;
}

/** NetBIOS name service (RFC 1002), known by port; counted apart from DNS. */
export const nbns: ApplicationProtocol = {
  name: "nbns",
  help: "NetBIOS name service",
  layer: "application",
  ports: { udp: [137] },
  create,
};

function create(): ApplicationDecoder {
  const text = new WireText(NAME_LENGTH / 2);
  const decoded = new DataView(new ArrayBuffer(NAME_LENGTH / 2));
  const facts: NbnsFacts = {
    packet: -1,
    isResponse: false,
    operation: 0,
    name: ({ view, payloadAt, payloadEnd }) => {
      const length = decodeName(view, payloadAt + HEADER_LENGTH, payloadEnd, decoded);
      if (length < 0) return null;
      text.append(decoded, 0, length, NOTHING_SPECIAL);
      return text.take();
    },
  };

  function decode(packet: Packet): number {
    const { view, payloadAt } = packet;
    if (packet.payloadEnd - payloadAt < HEADER_LENGTH) return short(packet);
    const flags = view.getUint16(payloadAt + FLAGS_AT);
    facts.packet = packet.number;
    facts.isResponse = flags >>> 15 === 1;
    facts.operation = (flags >>> 11) & 15;
    return Stop.DONE;
  }

  return { decode, facts: { nbns: facts } };
}

/** Two letters a byte, RFC 1001 §14.1; returns the length without the blanks at the end, -1 for other names. */
function decodeName(view: DataView, at: number, end: number, into: DataView): number {
  if (end - at <= NAME_LENGTH || view.getUint8(at) !== NAME_LENGTH) return -1;
  let length = 0;
  for (let i = 0; i < LETTERS_SHOWN; i += 2) {
    const high = view.getUint8(at + 1 + i) - LETTER_A;
    const low = view.getUint8(at + 2 + i) - LETTER_A;
    if (high < 0 || high > 15 || low < 0 || low > 15) return -1;
    const byte = (high << 4) | low;
    into.setUint8(i >> 1, byte);
    if (byte !== BLANK) length = (i >> 1) + 1;
  }
  return length;
}
