// SPDX-License-Identifier: AGPL-3.0-or-later
// Application messages made by hand, as their specifications lay them out.
import { type Bytes, bytes, hex, u16, u32 } from "./frames.ts";

/** A DHCP message with server, router and name server options. */
export function dhcpMessage(type: number): Bytes {
  const isReply = type === 2 || type === 5 || type === 6;
  return bytes(
    hex(isReply ? "02 01 06 00 3903f326 0000 0000" : "01 01 06 00 3903f326 0000 0000"),
    hex("00000000 c0a80164 c0a80101 00000000"),
    hex("020000000001"),
    new Uint8Array(10 + 64 + 128),
    hex("63825363"),
    hex("35 01"),
    type,
    hex("36 04 c0a80101 03 04 c0a80102 06 08 c0a80103 c0a80104 00 ff"),
  );
}

/** A version 2c GetRequest of the community "public". */
export const snmpMessage: Bytes = bytes(
  hex("30 27 02 01 01 04 06"),
  "public",
  hex("a0 1a 02 02 1234 02 01 00 02 01 00 30 0e 30 0c 06 08 2b06010201010500 05 00"),
);

/** An SMB 2 response behind its transport header; `dialect` as a NEGOTIATE response has it. */
export function smb2Response(command: number, status: number, dialect: number): Bytes {
  const message = Buffer.alloc(80);
  message.write("\xfeSMB", 0, "latin1");
  message.writeUInt16LE(64, 4);
  message.writeUInt32LE(status, 8);
  message.writeUInt16LE(command, 12);
  message.writeUInt32LE(1, 16);
  message.writeUInt16LE(65, 64);
  message.writeUInt16LE(dialect, 68);
  return bytes(u32(message.length), message);
}

export function smb1Response(command: number, status: number): Bytes {
  const message = Buffer.alloc(35);
  message.write("\xffSMB", 0, "latin1");
  message.writeUInt8(command, 4);
  message.writeUInt32LE(status, 5);
  message.writeUInt8(0x98, 9);
  return bytes(u32(message.length), message);
}

/** An X.224 connection request with the cookie and the negotiation request of Remote Desktop. */
export const rdpRequest: Bytes = x224(
  0xe0,
  "Cookie: mstshash=alice\r\n",
  hex("01 00 0800 0b000000"),
);

/** An X.224 message in its TPKT. */
export function x224(code: number, text: string, negotiation: Bytes): Bytes {
  const variable = bytes(text, negotiation);
  const length = 11 + variable.length;
  return bytes(hex("0300"), u16(length), length - 5, code, hex("0000 0000 00"), variable);
}

/** A KRB-ERROR with server time, error code and realm. */
export function krbError(code: number): Bytes {
  const fields = bytes(
    hex("a0 03 02 01 05 a1 03 02 01 1e a4 11 18 0f"),
    "20260105090000Z",
    hex("a5 03 02 01 07 a6 03 02 01"),
    code,
    hex("a9 09 1b 07"),
    "EXAMPLE",
  );
  return bytes(0x7e, fields.length + 2, 0x30, fields.length, fields);
}

/** The greeting of a MySQL server. */
export const mysqlGreeting: Bytes = mysqlPacket(
  bytes(
    hex("0a"),
    "8.0.36",
    hex("00 00000007"),
    "saltsalt",
    hex("00 ffff ff 0200 ffdf 15"),
    new Uint8Array(10),
    "moresaltsalt",
    0,
    "caching_sha2_password",
    0,
  ),
);

export function mysqlPacket(body: Bytes, number = 0): Bytes {
  return bytes(body.length, 0, 0, number, body);
}
