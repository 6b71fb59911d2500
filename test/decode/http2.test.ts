// SPDX-License-Identifier: AGPL-3.0-or-later
// Messages of HTTP/2 in clear text: frames and header blocks over segments, gaps, and what breaks them.
import { describe, expect, it } from "vitest";
import { Field } from "../../src/decode/http-field.ts";
import { type Spoken, talkHttp2 } from "../support/http2-talk.ts";
import { type Bytes, bytes, hex } from "./frames.ts";
import { Talk } from "./talk.ts";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS = hex("000000 04 00 00000000");
const [END_HEADERS, PADDED, PRIORITY] = [0x4, 0x8, 0x20];
const [HEADERS, PUSH_PROMISE, CONTINUATION] = [1, 5, 9];
/** Blocks of RFC 7541 C.4: a GET to www.example.com, the same by index, and one more. */
const FIRST = hex("828684418cf1e3c2e5f23a6ba0ab90f4ff");
const SECOND = hex("828684be5886a8eb10649cbf");
const POST_SAME = hex("83be");
const OK = hex("88");

function frame(type: number, flags: number, payload: Bytes): Bytes {
  const { length } = payload;
  return bytes(hex("00"), length >> 8, length & 0xff, type, flags, hex("00000001"), payload);
}

const whole = (block: Bytes): Bytes => frame(HEADERS, END_HEADERS, block);

function begun(): Talk {
  const talk = new Talk();
  talk.client(bytes(PREFACE, SETTINGS));
  talk.server(SETTINGS);
  return talk;
}

function counts(talk: Talk) {
  return {
    requests: talk.decoding.series("nam_http_requests_total"),
    responses: talk.decoding.series("nam_http_responses_total"),
    unread: talk.decoding.series("nam_http2_headers_unread_total"),
  };
}

function hostIn(talk: Talk): string | null {
  const { packet } = talk.decoding;
  const { http } = packet.facts;
  return http?.packet === packet.number ? http.host(packet) : null;
}

describe("http2 of a real client and server", () => {
  const talking = talkHttp2();
  const EXPECTED = {
    requests: { get: 4, post: 1, put: 1, delete: 1, other: 1 },
    // Pushed resources are answered too.
    responses: { "1xx": 8, "2xx": 4 + 8, "3xx": 1, "4xx": 2, "5xx": 1 },
    unread: {},
  };

  function hear(spoken: readonly Spoken[], segmentBytes: number): [Talk, string[]] {
    const talk = new Talk();
    const hosts: string[] = [];
    let isFirst = true;
    for (const { side, data } of spoken) {
      // A flow is recognised by the preface, of which the first segment has to hold enough.
      let length = isFirst ? PREFACE.length : segmentBytes;
      isFirst = false;
      for (let at = 0; at < data.length; at += length, length = segmentBytes) {
        talk[side](data.subarray(at, at + length));
        const host = hostIn(talk);
        if (host !== null) hosts.push(host);
      }
    }
    return [talk, hosts];
  }

  it.each([1448, 100, 9, 1])("is counted to the message in segments of %i bytes", async (size) => {
    const { spoken, asked } = await talking;
    const [talk, hosts] = hear(spoken, size);
    expect(counts(talk)).toEqual(EXPECTED);
    expect(hosts).toEqual(asked.map(({ host }) => host.toLowerCase()));
    expect(talk.value("nam_frame_errors_total")).toBe(0);
  });
});

describe("http2 messages", () => {
  it("are counted behind one another, with their hosts", () => {
    const talk = begun();
    talk.client(whole(FIRST));
    expect(hostIn(talk)).toBe("www.example.com");
    expect(talk.decoding.packet.facts.http).toMatchObject({ requests: 1, fields: Field.HOST });
    talk.client(bytes(whole(SECOND), whole(POST_SAME)));
    expect(hostIn(talk)).toBe("www.example.com");
    expect(talk.decoding.packet.facts.http).toMatchObject({ requests: 2, method: 1 });
    talk.server(bytes(whole(OK), whole(hex("8d"))));
    expect(talk.decoding.packet.facts.http).toMatchObject({ requests: 0, status: 404 });
    expect(hostIn(talk)).toBeNull();
    expect(counts(talk)).toEqual({
      requests: { get: 2, post: 1 },
      responses: { "2xx": 1, "4xx": 1 },
      unread: {},
    });
  });

  it("are of the last host that one was for, if others have not taken its place", () => {
    const talk = begun();
    const host = (letter: number): Bytes =>
      bytes(hex("017fc801"), new Uint8Array(327).fill(letter));
    talk.client(bytes(whole(FIRST), whole(hex("82"))));
    expect(hostIn(talk)).toBe("www.example.com");
    // What is no request brings more hosts than are kept.
    talk.client(bytes(whole(SECOND), ...[97, 98, 99, 100, 101].map((one) => whole(host(one)))));
    expect(hostIn(talk)).toBeNull();
  });

  it("are found behind priority and padding, over frames that go on", () => {
    const talk = begun();
    const flags = PADDED | PRIORITY;
    const start = bytes(3, hex("80000000 10"), FIRST.subarray(0, 5), hex("000000"));
    talk.client(frame(HEADERS, flags, start));
    talk.client(frame(CONTINUATION, 0, FIRST.subarray(5, 6)));
    talk.client(frame(CONTINUATION, 0, new Uint8Array(0)));
    talk.client(frame(CONTINUATION, END_HEADERS, FIRST.subarray(6)));
    expect(hostIn(talk)).toBe("www.example.com");
    talk.client(whole(POST_SAME));
    expect(counts(talk)).toEqual({ requests: { get: 1, post: 1 }, responses: {}, unread: {} });
  });

  it("are counted once, however often they are sent", () => {
    const talk = begun();
    const first = whole(FIRST);
    talk.client(first);
    talk.again("client", first, first.length);
    talk.again("client", first.subarray(4), first.length - 4);
    talk.client(whole(POST_SAME));
    expect(counts(talk).requests).toEqual({ get: 1, post: 1 });
  });

  it("of a server that pushes are its responses only, and its table goes on", () => {
    const talk = begun();
    talk.server(frame(PUSH_PROMISE, END_HEADERS, bytes(hex("00000002"), FIRST)));
    talk.server(frame(PUSH_PROMISE, END_HEADERS | PADDED, bytes(1, hex("00000004"), SECOND, 0)));
    // The host is the second field of the table by now.
    talk.server(bytes(whole(OK), whole(hex("88bf"))));
    expect(counts(talk)).toEqual({ requests: {}, responses: { "2xx": 2 }, unread: {} });
  });

  it("follow an upgrade, in the segment that answers it too", () => {
    const talk = new Talk(80);
    talk.client("GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: h2c\r\n\r\n");
    const answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n";
    // A status that goes into the table, and is meant by the next segment.
    talk.server(bytes(answer, SETTINGS, whole(hex("4803333032"))));
    talk.client(bytes(PREFACE, SETTINGS, whole(FIRST)));
    talk.server(whole(hex("be")));
    expect(talk.verdict).toBe("http2");
    expect(counts(talk)).toEqual({
      requests: { get: 2 },
      responses: { "1xx": 1, "3xx": 2 },
      unread: {},
    });
  });
});

describe("http2 with more fields than anybody sends", () => {
  /** Blocks of one method and many empty fields, in one segment. */
  const crowd = (blocks: number): Bytes =>
    bytes(...Array.from({ length: blocks }, () => whole(hex(`82${"000000".repeat(30)}`))));

  it("is read no further than its length allows, and is no error", () => {
    const talk = begun();
    // 32 fields, and one for eight of 1,000 bytes.
    talk.client(crowd(10));
    expect(counts(talk)).toEqual({ requests: { get: 5 }, responses: {}, unread: { crowded: 5 } });
    expect(talk.value("nam_frame_errors_total")).toBe(0);
  });

  it("is followed further in the next segment, with what is known", () => {
    const talk = begun();
    talk.client(bytes(whole(FIRST), crowd(10)));
    talk.client(whole(hex("83be")));
    expect(hostIn(talk)).toBeNull();
    expect(counts(talk).requests).toEqual({ get: 6, post: 1 });
  });
});

describe("http2 with something missing", () => {
  it("counts what does not depend on it, and heals", () => {
    const talk = begun();
    talk.client(whole(FIRST));
    talk.lose("client", 40);
    // Nothing but a field of the table, which may be another one by now; then a method, and a new host.
    talk.client(whole(hex("be")));
    expect(counts(talk)).toEqual({ requests: { get: 1 }, responses: {}, unread: { unknown: 1 } });
    talk.client(whole(hex("83bf")));
    expect(hostIn(talk)).toBeNull();
    talk.client(whole(hex("8241066e2e74657374")));
    talk.client(whole(POST_SAME));
    expect(hostIn(talk)).toBe("n.test");
    expect(counts(talk).requests).toEqual({ get: 2, post: 2 });
  });

  it("finds its place again only where a frame makes sense", () => {
    const talk = begun();
    talk.lose("client", 40);
    talk.client(bytes(hex("000002 01 04 00000000"), hex("8283")));
    talk.client(bytes(hex("000002 01 02 00000001"), hex("8283")));
    talk.client(bytes(hex("000003 03 00 00000001"), hex("000000")));
    expect(counts(talk).requests).toEqual({});
    talk.client(whole(hex("82")));
    expect(counts(talk).requests).toEqual({ get: 1 });
  });

  it("does not know the tables that others made it forget", () => {
    const talk = begun();
    talk.client(whole(FIRST));
    let last = talk;
    // More sides of connections than have a table.
    for (let others = 0; others < 1100; others++) {
      last = talk.connect();
      last.client(bytes(PREFACE, SETTINGS, whole(FIRST)));
    }
    last.client(whole(hex("83be")));
    expect(hostIn(last)).toBe("www.example.com");
    talk.client(whole(hex("be")));
    expect(counts(talk).unread).toEqual({ unknown: 1 });
    expect(talk.value("nam_conversations_forgotten_total")).toBeGreaterThan(70);
  });
});

describe("http2 that breaks the rules", () => {
  it.each([
    ["a field that no table has", whole(hex("82bf"))],
    ["a block that ends within a field", whole(hex("8241"))],
    [
      "more padding than frame",
      frame(HEADERS, END_HEADERS | PADDED, bytes(9, FIRST.subarray(0, 8))),
    ],
    ["a frame too short for its priority", frame(HEADERS, END_HEADERS | PRIORITY, hex("8000"))],
    ["a frame too short for its padding", frame(HEADERS, END_HEADERS | PADDED, hex(""))],
    ["another frame within a block", bytes(frame(HEADERS, 0, hex("82")), SETTINGS)],
    ["another block within a block", bytes(frame(HEADERS, 0, hex("82")), frame(HEADERS, 0, OK))],
  ])("has no message for %s", (_what, frames) => {
    const talk = begun();
    talk.client(whole(FIRST));
    talk.client(frames);
    expect(counts(talk)).toEqual({ requests: { get: 1 }, responses: {}, unread: { malformed: 1 } });
    expect(talk.value("nam_frame_errors_total", { reason: "malformed" })).toBe(1);
  });

  it("is followed further, with what is known", () => {
    const talk = begun();
    talk.client(bytes(whole(hex("80")), frame(CONTINUATION, END_HEADERS, FIRST), whole(POST_SAME)));
    expect(counts(talk)).toEqual({
      requests: { post: 1 },
      responses: {},
      unread: { malformed: 1 },
    });
  });

  it("grows no state with a block that never ends", () => {
    const talk = begun();
    talk.client(frame(HEADERS, 0, FIRST));
    for (let more = 0; more < 200; more++) {
      talk.client(frame(CONTINUATION, 0, new Uint8Array(1400).fill(0x82)));
    }
    expect(counts(talk).requests).toEqual({});
    talk.client(frame(CONTINUATION, END_HEADERS, OK.subarray(1)));
    expect(counts(talk).requests).toEqual({ get: 1 });
  });
});
