// SPDX-License-Identifier: AGPL-3.0-or-later
// What decoders count and tell of single messages.
import { describe, expect, it } from "vitest";
import { Stop } from "../../src/decode/protocol.ts";
import {
  dhcpMessage,
  rdpRequest,
  smb1Response,
  smb2Response,
  x224,
} from "./application-messages.ts";
import { Decoding } from "./decoding.ts";
import { type Bytes, bytes, hex, tcpFrame, udpFrame } from "./frames.ts";
import { Talk } from "./talk.ts";

function taken(destinationPort: number, ...payloads: readonly Bytes[]): Decoding {
  const decoding = new Decoding();
  for (const payload of payloads) decoding.takeBytes(udpFrame({ destinationPort, payload }));
  return decoding;
}

describe("dhcp", () => {
  it("counts messages by type", () => {
    const types = [1, 2, 3, 4, 5, 6, 7, 8, 13];
    expect(taken(67, ...types.map(dhcpMessage)).series("nam_dhcp_messages_total")).toEqual({
      ...{ discover: 1, offer: 1, request: 1, decline: 1, ack: 1, nak: 1, release: 1, inform: 1 },
      other: 1,
    });
  });

  it("tells who offers which router and name server to whom", () => {
    const { packet } = taken(68, dhcpMessage(2));
    expect(packet.facts.dhcp).toEqual({
      packet: packet.number,
      isReply: true,
      type: 2,
      clientMac0: 0x0200,
      clientMac1: 1,
      yourAddress: 0xc0a80164 | 0,
      relayAddress: 0,
      serverAddress: 0xc0a80101 | 0,
      router: 0xc0a80102 | 0,
      dnsServer: 0xc0a80103 | 0,
    });
  });

  it("tells which relay agent carried a message", () => {
    const relayed = dhcpMessage(1).slice();
    relayed.set([10, 0, 9, 1], 24);
    const decoding = taken(67, relayed);
    expect(decoding.packet.facts.dhcp?.relayAddress).toBe(0x0a000901);
    decoding.takeBytes(udpFrame({ destinationPort: 67, payload: dhcpMessage(1) }));
    expect(decoding.packet.facts.dhcp?.relayAddress).toBe(0);
  });

  it("keeps no option of the message before", () => {
    const bare = dhcpMessage(1).subarray(0, 243);
    const { packet } = taken(67, dhcpMessage(2), bare);
    expect(packet.facts.dhcp).toMatchObject({ type: 1, serverAddress: 0, router: 0, dnsServer: 0 });
  });

  it("counts a message without cookie as BOOTP", () => {
    const bootp = bytes(dhcpMessage(1).subarray(0, 236), new Uint8Array(64));
    expect(taken(67, bootp).series("nam_dhcp_messages_total")).toEqual({ bootp: 1 });
  });

  it("gives up a message that is mostly padding", () => {
    const padded = bytes(dhcpMessage(1).subarray(0, 240), new Uint8Array(200));
    expect(taken(67, padded).packet.fault).toBe(Stop.UNSUPPORTED);
  });

  it.each([
    ["an option that goes past the end", bytes(dhcpMessage(1).subarray(0, 240), hex("35 02 01"))],
    ["no operation", new Uint8Array(300)],
    ["too few bytes", new Uint8Array(200)],
  ])("calls %s malformed", (_what, payload) => {
    expect(taken(67, payload).packet.fault).toBe(Stop.MALFORMED);
  });
});

describe("dhcpv6", () => {
  it("counts messages by type", () => {
    const messages = [1, 2, 3, 7, 12].map((type) => bytes(type, hex("0a0b0c")));
    expect(taken(547, ...messages).series("nam_dhcpv6_messages_total")).toEqual({
      ...{ solicit: 1, advertise: 1, request: 1, reply: 1, other: 1 },
    });
    expect(taken(547, hex("00 000000")).packet.fault).toBe(Stop.UNSUPPORTED);
  });
});

describe("ntp", () => {
  it("counts messages by mode", () => {
    const messages = [1, 2, 3, 4, 5].map((mode) => bytes(0x20 | mode, new Uint8Array(47)));
    const decoding = taken(123, ...messages, hex("16 01 0001 0000 0000 0000 0000"), monlist(0x17));
    expect(decoding.series("nam_ntp_messages_total")).toEqual({
      ...{ symmetric_active: 1, symmetric_passive: 1, client: 1, server: 1, broadcast: 1 },
      ...{ control: 1, private: 1 },
    });
  });

  it("tells a monlist request from its answers", () => {
    const request = taken(123, monlist(0x17)).packet;
    expect(request.facts.ntp).toMatchObject({ mode: 7, isResponse: false, requestCode: 42 });
    const answer = taken(123, monlist(0x97)).packet;
    expect(answer.facts.ntp).toMatchObject({ mode: 7, isResponse: true });
    const readvar = taken(123, hex("16 82 0001 0000 0000 0000 0000")).packet;
    expect(readvar.facts.ntp).toMatchObject({ mode: 6, isResponse: true, requestCode: -1 });
  });

  it("calls a message that is too short malformed", () => {
    expect(taken(123, bytes(0x23, new Uint8Array(40))).packet.fault).toBe(Stop.MALFORMED);
  });
});

describe("smb", () => {
  it("counts the dialects that servers choose", () => {
    const talk = new Talk(445);
    talk.server(smb1Response(0x72, 0));
    for (const dialect of [0x0202, 0x0210, 0x0300, 0x0302, 0x0311, 0x02ff]) {
      talk.server(smb2Response(0, 0, dialect));
    }
    expect(talk.decoding.series("nam_smb_negotiations_total")).toEqual({
      ...{ "1": 1, "2.0.2": 1, "2.1": 1, "3.0": 1, "3.0.2": 1, "3.1.1": 1, other: 1 },
    });
  });
});

describe("rdp", () => {
  it("counts connections, asked for and confirmed", () => {
    const talk = new Talk(3389);
    talk.client(rdpRequest);
    talk.server(x224(0xd0, "", hex("02 00 0800 01000000")));
    expect(talk.verdict).toBe("rdp");
    expect(talk.decoding.series("nam_rdp_connections_total")).toEqual({ request: 1, confirm: 1 });
  });
});

describe("sip", () => {
  it("counts requests and responses", () => {
    const decoding = taken(
      5060,
      ...["INVITE sip:a@b SIP/2.0\r\n", "OPTIONS sip:b SIP/2.0\r\n", "ACK sip:a@b SIP/2.0\r\n"].map(
        (line) => bytes(line),
      ),
      ...["SIP/2.0 100 Trying\r\n", "SIP/2.0 603 Decline\r\n", "not SIP"].map((line) =>
        bytes(line),
      ),
    );
    expect(decoding.series("nam_sip_requests_total")).toEqual({ invite: 1, options: 1, other: 1 });
    expect(decoding.series("nam_sip_responses_total")).toEqual({ "1xx": 1, "6xx": 1 });
  });
});

describe("snmp", () => {
  it("counts messages by version", () => {
    const v1 = hex("30 0b 02 01 00 04 01 61 a0 03 02 01 01");
    const v3 = hex("30 0a 02 01 03 30 05 02 03 010203");
    expect(taken(161, v1, v3).series("nam_snmp_messages_total")).toEqual({ "1": 1, "3": 1 });
  });
});

describe("a frame without a flow", () => {
  it("has its text protocols counted all the same", () => {
    const decoding = new Decoding();
    decoding.takeBytes(tcpFrame({ sourcePort: 110, payload: bytes("+OK ready\r\n") }));
    expect(decoding.names().application).toBe("pop3");
    expect(decoding.packet.login).toBe(0);
  });
});

/** A private message that asks for, or answers, the list of clients. */
function monlist(first: number): Bytes {
  return bytes(first, hex("00 03 2a 0000 0000"), new Uint8Array(40));
}
