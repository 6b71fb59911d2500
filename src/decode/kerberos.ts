// SPDX-License-Identifier: AGPL-3.0-or-later
import { contentAt, nextAt } from "./ber.ts";
import { Logins, loginFailures, loginFailuresSignal } from "./login.ts";
import type { Packet } from "./packet.ts";
import {
  type ApplicationDecoder,
  type ApplicationProtocol,
  type DecodeContext,
  Stop,
} from "./protocol.ts";
import { TCP_NUMBER } from "./tcp.ts";

/** Application tags of RFC 4120 §5.10: requests, answers, and the error. */
const AS_REPLY = 0x6b;
const TAGS = [0x6a, AS_REPLY, 0x6c, 0x6d] as const;
const ERROR = 0x7e;
const SEQUENCE = 0x30;
/** Over TCP a message has its length before it in four bytes, RFC 4120 §7.2.2. */
const TCP_LENGTH = 4;
/** Behind a context tag: an integer of one byte, version 5. */
const VERSION = 0x0302_0105 | 0;
const CONTEXT_0 = 0xa0;
const CONTEXT_1 = 0xa1;
/** error-code in a KRB-ERROR, and what it says where the password was wrong or the client is unknown. */
const ERROR_CODE = 0xa6;
const FIELDS_MAX = 8;
const PREAUTHENTICATION_FAILED = 24;
const UNKNOWN_CLIENT = 6;

/** Kerberos 5 (RFC 4120), known by tag and version, or by port. */
export const kerberos: ApplicationProtocol = {
  name: "kerberos",
  help: "Kerberos",
  layer: "application",
  ports: { tcp: [88], udp: [88] },
  firstBytes: { tcp: [0], udp: [...TAGS, ERROR] },
  metrics: [loginFailures],
  signals: [loginFailuresSignal],
  create,
};

function create(context: DecodeContext): ApplicationDecoder {
  const logins = new Logins("kerberos", context);

  function decode(packet: Packet): number {
    const { view } = packet;
    const fieldsAt = firstField(packet);
    if (fieldsAt < 0) return Stop.DONE;
    const tag = view.getUint8(messageAt(packet));
    if (tag === AS_REPLY) logins.succeeded(packet);
    else if (tag === ERROR) {
      const code = errorCode(view, fieldsAt, packet.payloadEnd);
      if (code === PREAUTHENTICATION_FAILED || code === UNKNOWN_CLIENT) logins.failed(packet);
    }
    return Stop.DONE;
  }

  return { recognises: (packet) => firstField(packet) >= 0, decode };
}

function messageAt(packet: Packet): number {
  return packet.payloadAt + (packet.ipProtocol === TCP_NUMBER ? TCP_LENGTH : 0);
}

/** Where the fields of the message that starts the payload begin, with the version; -1 where that is no message. */
function firstField(packet: Packet): number {
  const { view, payloadEnd } = packet;
  const at = messageAt(packet);
  const sequenceAt = contentAt(view, at, payloadEnd);
  if (sequenceAt < 0 || !isTag(view.getUint8(at))) return -1;
  const fieldAt = contentAt(view, sequenceAt, payloadEnd);
  if (fieldAt < 0 || view.getUint8(sequenceAt) !== SEQUENCE || payloadEnd - fieldAt < 6) return -1;
  const tag = view.getUint8(fieldAt);
  if (tag !== CONTEXT_0 && tag !== CONTEXT_1) return -1;
  // The field is five bytes long: context tag, 3, INTEGER, 1, 5.
  return view.getInt32(fieldAt + 1) === VERSION ? fieldAt : -1;
}

function isTag(byte: number): boolean {
  return (TAGS as readonly number[]).includes(byte) || byte === ERROR;
}

function errorCode(view: DataView, from: number, end: number): number {
  let at = from;
  for (let count = 0; at >= 0 && count < FIELDS_MAX; count++) {
    if (view.getUint8(at) === ERROR_CODE) return end - at < 5 ? -1 : view.getUint8(at + 4);
    at = nextAt(view, at, end);
  }
  return -1;
}
