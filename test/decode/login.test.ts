// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { protocols } from "../../src/decode/all.ts";
import { LOGIN_PROTOCOLS } from "../../src/decode/login.ts";
import { Login } from "../../src/decode/packet.ts";
import { krbError, mysqlPacket, smb1Response, smb2Response } from "./application-messages.ts";
import { Decoding } from "./decoding.ts";
import { type Bytes, bytes, hex, u16, u32, udpFrame } from "./frames.ts";
import { Talk } from "./talk.ts";

const { NONE, FAILED, SUCCEEDED } = Login;
const LOGON_FAILURE = 0xc000006d;

function failures(talk: Talk | Decoding): Record<string, number> {
  const decoding = talk instanceof Talk ? talk.decoding : talk;
  return decoding.series("nam_login_failures_total");
}

/** Exchange by exchange: the client's line, the server's answer, and what that says about a login. */
const TALKS: Readonly<
  Record<string, { port: number; lines: readonly [string, string, number][] }>
> = {
  ftp: {
    port: 21,
    lines: [
      ["", "220 files FTP ready\r\n", NONE],
      ["USER a\r\n", "331 Password required\r\n", NONE],
      ["PASS b\r\n", "530 Login incorrect.\r\n", FAILED],
      ["PASS c\r\n", "230-Welcome\r\n230 Logged in\r\n", SUCCEEDED],
    ],
  },
  smtp: {
    port: 587,
    lines: [
      ["", "220 mail ESMTP\r\n", NONE],
      ["EHLO x\r\n", "250-mail\r\n250 AUTH PLAIN\r\n", NONE],
      ["AUTH PLAIN AGEAYg==\r\n", "535 5.7.8 Invalid\r\n", FAILED],
      ["AUTH LOGIN\r\n", "334 VXNlcm5hbWU6\r\n", NONE],
      ["YQ==\r\n", "235 2.7.0 Accepted\r\n", SUCCEEDED],
    ],
  },
  pop3: {
    port: 110,
    lines: [
      ["", "+OK ready\r\n", NONE],
      ["USER a\r\n", "+OK\r\n", NONE],
      ["PASS b\r\n", "-ERR [AUTH] failed\r\n", FAILED],
      ["NOOP\r\n", "-ERR what\r\n", NONE],
      ["AUTH PLAIN\r\n", "+ \r\n", NONE],
      ["AGEAYg==\r\n", "-ERR no\r\n", FAILED],
      ["pass c\r\n", "+OK Logged in\r\n", SUCCEEDED],
      ["LIST\r\n", "+OK\r\n", NONE],
    ],
  },
  imap: {
    port: 143,
    lines: [
      ["", "* OK IMAP4rev1\r\n", NONE],
      ["a1 NOOP\r\n", "a1 NO why\r\n", NONE],
      ["a2 LOGIN a b\r\n", "a2 NO [AUTHENTICATIONFAILED] no\r\n", FAILED],
      ["a3 authenticate PLAIN\r\n", "+ \r\n", NONE],
      ["AGEAYg==\r\n", "a3 OK done\r\n", SUCCEEDED],
      ["a4 SELECT x\r\n", "a4 NO none\r\n", NONE],
    ],
  },
  telnet: {
    port: 23,
    lines: [
      ["a\r\n", "\r\nPassword: ", NONE],
      ["b\r\n", "\r\n\r\nLogin incorrect\r\nlogin: ", FAILED],
    ],
  },
};

describe("a login", () => {
  it.each(Object.entries(TALKS))(
    "over %s is told by the server's answer",
    (name, { port, lines }) => {
      const talk = new Talk(port);
      for (const [client, server, login] of lines) {
        if (client !== "") expect(talk.client(client).login).toBe(NONE);
        expect(talk.server(server).login, server).toBe(login);
        expect(talk.application).toBe(name);
      }
      const failed = lines.filter(([, , login]) => login === FAILED).length;
      expect(failures(talk)).toEqual({ [name]: failed });
    },
  );

  it.each([
    ["smb", 445, smb1Response(0x73, LOGON_FAILURE), smb1Response(0x73, 0)],
    ["smb", 445, smb2Response(1, LOGON_FAILURE, 0), smb2Response(1, 0, 0)],
    ["mqtt", 1883, hex("20 02 00 05"), hex("20 02 00 00")],
    [
      "ldap",
      389,
      hex("30 0c 02 01 01 61 07 0a 01 31 04 00 04 00"),
      hex("30 0c 02 01 01 61 07 0a 01 00 04 00 04 00"),
    ],
    ["postgresql", 5432, pgError("28P01"), hex("52 00000008 00000000")],
    [
      "kerberos",
      88,
      overTcp(krbError(24)),
      overTcp(hex("6b 0c 30 0a a0 03 02 01 05 a1 03 02 01 0b")),
    ],
  ])("over %s, port %i: refused and granted", (name, port, refusal, grant) => {
    const talk = new Talk(port);
    expect(talk.server(refusal).login).toBe(FAILED);
    expect(talk.server(grant).login).toBe(SUCCEEDED);
    expect(talk.application).toBe(name);
    expect(failures(talk)).toEqual({ [name]: 1 });
  });

  it("over mysql is told where it is refused", () => {
    const talk = new Talk(3306);
    expect(talk.server(mysqlPacket(bytes(hex("ff 1504"), "#28000Access denied"), 2)).login).toBe(
      FAILED,
    );
    expect(talk.server(mysqlPacket(bytes(hex("ff 2804"), "#42000Syntax"), 1)).login).toBe(NONE);
    expect(failures(talk)).toEqual({ mysql: 1 });
  });

  it("over radius is told by the code", () => {
    const decoding = new Decoding();
    const message = (code: number) => bytes(code, 7, u16(20), new Uint8Array(16));
    const take = (code: number) =>
      decoding.takeBytes(
        udpFrame({ sourcePort: 1812, destinationPort: 50_000, payload: message(code) }),
      ).login;
    expect([take(1), take(2), take(3), take(11)]).toEqual([NONE, SUCCEEDED, FAILED, NONE]);
    expect(failures(decoding)).toEqual({ radius: 1 });
  });

  it.each([
    ["smb", 445, smb2Response(1, 0xc0000016, 0)],
    ["smb", 445, smb2Response(3, LOGON_FAILURE, 0)],
    ["kerberos", 88, overTcp(krbError(25))],
    ["postgresql", 5432, pgError("42P01")],
    ["mqtt", 1883, hex("20 02 00 03")],
  ])("over %s, port %i, is not told by other answers", (_name, port, answer) => {
    expect(new Talk(port).server(answer).login).toBe(NONE);
  });

  it("is not told by a client, whatever it sends", () => {
    const talk = new Talk(25);
    talk.server("220 mail ESMTP\r\n");
    expect(talk.client("535 of them\r\n").login).toBe(NONE);
    expect(failures(talk)).toEqual({});
  });

  it("is counted for protocols that exist, each of which offers the signal", () => {
    for (const name of LOGIN_PROTOCOLS) {
      const protocol = protocols.find((one) => one.name === name);
      expect(
        protocol?.signals?.map((signal) => signal.name),
        name,
      ).toContain("login_failures");
    }
  });
});

function overTcp(message: Bytes): Bytes {
  return bytes(u32(message.length), message);
}

function pgError(state: string): Bytes {
  const fields = bytes("SFATAL", 0, "VFATAL", 0, "C", state, 0, "Mno", 0, 0);
  return bytes("E", u32(fields.length + 4), fields);
}
