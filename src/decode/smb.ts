// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";
import { add } from "../util/typed.ts";
import { Logins, loginFailures, loginFailuresSignal } from "./login.ts";
import type { Packet } from "./packet.ts";
import {
  type ApplicationDecoder,
  type ApplicationProtocol,
  type DecodeContext,
  Stop,
} from "./protocol.ts";
import { fourBytes } from "./wire-text.ts";

/** The message follows the four bytes of its transport header (MS-SMB2 §2.1). */
const MESSAGE_AT = 4;
const SMB1 = fourBytes("\xffSMB");
const SMB2 = fourBytes("\xfeSMB");
const SMB2_ENCRYPTED = fourBytes("\xfdSMB");
/** SMB 1 header, MS-CIFS §2.2.3.1; offsets from the message. */
const Cifs = { COMMAND_AT: 4, STATUS_AT: 5, FLAGS_AT: 9, LENGTH: 32, REPLY: 0x80 } as const;
const CifsCommand = { NEGOTIATE: 0x72, SESSION_SETUP: 0x73 } as const;
/** SMB 2 header, MS-SMB2 §2.2.1, and the dialect in a NEGOTIATE response, §2.2.4. */
const Smb2 = {
  STATUS_AT: 8,
  COMMAND_AT: 12,
  FLAGS_AT: 16,
  LENGTH: 64,
  REPLY: 1,
  DIALECT_AT: 68,
} as const;
const Smb2Command = { NEGOTIATE: 0, SESSION_SETUP: 1 } as const;

/** NT status of a SESSION_SETUP that failed for its credentials (MS-ERREF §2.3.1). */
const SUCCESS = 0;
const FAILURES: ReadonlySet<number> = new Set([
  ...[0xc0000064, 0xc000006a, 0xc000006d, 0xc000006e, 0xc000006f, 0xc0000070, 0xc0000071],
  ...[0xc0000072, 0xc000015b, 0xc0000193, 0xc0000234],
]);

/** Label values by dialect; "other" is 2.FF, which is settled later, and what is yet to come. */
const DIALECTS: ReadonlyMap<number, string> = new Map([
  [0x0202, "2.0.2"],
  [0x0210, "2.1"],
  [0x0300, "3.0"],
  [0x0302, "3.0.2"],
  [0x0311, "3.1.1"],
]);
const DIALECT_NUMBERS = [...DIALECTS.keys()];
const DIALECT_LABELS = ["1", ...DIALECTS.values(), "other"];

const negotiations: MetricDefinition = {
  name: "nam_smb_negotiations_total",
  help: "SMB dialects that servers chose.",
  type: "counter",
  labels: { dialect: DIALECT_LABELS },
};

/** SMB and CIFS, known by the protocol identifier, or by port. */
export const smb: ApplicationProtocol = {
  name: "smb",
  help: "SMB",
  layer: "application",
  ports: { tcp: [139, 445] },
  firstBytes: { tcp: [0] },
  metrics: [negotiations, loginFailures],
  signals: [loginFailuresSignal],
  create,
};

function create(context: DecodeContext): ApplicationDecoder {
  const { counters } = context;
  const cells = context.base(negotiations);
  const logins = new Logins("smb", context);

  function decode(packet: Packet): number {
    const { view } = packet;
    const at = packet.payloadAt + MESSAGE_AT;
    const captured = packet.payloadEnd - at;
    if (captured < Cifs.LENGTH) return Stop.DONE;
    const identifier = view.getInt32(at);
    if (identifier === SMB1) cifs(packet, at);
    else if (identifier === SMB2 && captured >= Smb2.LENGTH) smb2(packet, at, captured);
    return Stop.DONE;
  }

  function cifs(packet: Packet, at: number): void {
    const { view } = packet;
    if ((view.getUint8(at + Cifs.FLAGS_AT) & Cifs.REPLY) === 0) return;
    const command = view.getUint8(at + Cifs.COMMAND_AT);
    if (command === CifsCommand.NEGOTIATE) add(counters, cells, 1);
    else if (command === CifsCommand.SESSION_SETUP) {
      session(packet, view.getUint32(at + Cifs.STATUS_AT, true));
    }
  }

  function smb2(packet: Packet, at: number, captured: number): void {
    const { view } = packet;
    if ((view.getUint8(at + Smb2.FLAGS_AT) & Smb2.REPLY) === 0) return;
    const command = view.getUint16(at + Smb2.COMMAND_AT, true);
    if (command === Smb2Command.SESSION_SETUP) {
      session(packet, view.getUint32(at + Smb2.STATUS_AT, true));
    } else if (command === Smb2Command.NEGOTIATE && captured >= Smb2.DIALECT_AT + 2) {
      const dialect = DIALECT_NUMBERS.indexOf(view.getUint16(at + Smb2.DIALECT_AT, true));
      add(counters, cells + (dialect < 0 ? DIALECT_LABELS.length - 1 : dialect + 1), 1);
    }
  }

  function session(packet: Packet, status: number): void {
    if (status === SUCCESS) logins.succeeded(packet);
    else if (FAILURES.has(status)) logins.failed(packet);
  }

  return { recognises, decode };
}

function recognises(packet: Packet): boolean {
  const { view, payloadAt } = packet;
  if (packet.payloadEnd - payloadAt < MESSAGE_AT + 4) return false;
  const identifier = view.getInt32(payloadAt + MESSAGE_AT);
  return identifier === SMB2 || identifier === SMB1 || identifier === SMB2_ENCRYPTED;
}
