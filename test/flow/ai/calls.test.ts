// SPDX-License-Identifier: AGPL-3.0-or-later
// Calls and token streams from TLS records and QUIC datagrams, whole, cut, lost, repeated and poisoned.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applicationData } from "../../../scripts/fixtures/messages.ts";
import { CallBench } from "../../support/ai-calls.ts";
import { randomOf } from "../../support/detection-bench.ts";
import { FINISHED_BYTES, QuicTalk, TlsTalk } from "../../support/encrypted-talk.ts";
import { TalkClock } from "../../support/talk.ts";

const OPENAI = { serverName: "api.openai.com" };

describe("calls over TLS", () => {
  it("are counted with what was sent, received and waited for", () => {
    const bench = new CallBench();
    const talk = new TlsTalk(bench, OPENAI);
    talk.wait(500);
    talk.up(1500);
    talk.wait(700);
    for (let at = 0; at < 3; at++) talk.down(4000);
    talk.wait(100);
    talk.up(2500);
    talk.wait(200);
    talk.down(900);
    talk.close();
    bench.finish();
    expect(bench.calls).toMatchObject([
      { upBytes: 1500 + FINISHED_BYTES, downBytes: 12_000, isStream: false, transport: 0 },
      { host: "api.openai.com", upBytes: 2500, downBytes: 900, serverPort: 443 },
    ]);
    expect(bench.calls[0]?.ttftMs).toBeCloseTo(700, 0);
    expect(bench.calls[1]?.ttftMs).toBeCloseTo(200, 0);
    expect(bench.counter("nam_ai_calls_total", { provider: "openai", transport: "tls_h1" })).toBe(
      2,
    );
  });

  it("are no less than 200 bytes, and session tickets are no reply", () => {
    const bench = new CallBench();
    const talk = new TlsTalk(bench, OPENAI);
    talk.down(280);
    talk.down(280);
    talk.up(1200);
    talk.down(250);
    talk.wait(300);
    talk.down(5000);
    talk.wait(100);
    talk.up(150);
    talk.wait(100);
    talk.down(5000);
    talk.close();
    bench.finish();
    expect(bench.calls).toMatchObject([{ upBytes: 1200 + FINISHED_BYTES }]);
    expect(bench.calls[0]?.ttftMs).toBeCloseTo(300, 0);
  });

  it("are one where the client waits to be told to go on with its upload", () => {
    const bench = new CallBench();
    const talk = new TlsTalk(bench, OPENAI);
    talk.wait(500);
    talk.up(400);
    talk.wait(20);
    talk.down(47);
    talk.up(9000);
    talk.wait(700);
    talk.down(900);
    talk.close();
    bench.finish();
    expect(bench.calls).toMatchObject([{ upBytes: 9400 + FINISHED_BYTES, downBytes: 900 }]);
    expect(bench.calls[0]?.ttftMs).toBeCloseTo(720, 0);
  });

  it("count where the client has ended its side before the reply", () => {
    const bench = new CallBench();
    const talk = new TlsTalk(bench, OPENAI);
    talk.up(900);
    talk.close();
    talk.wait(700);
    talk.down(3000);
    talk.segment(false, Buffer.alloc(0), 0x11);
    expect(bench.calls).toMatchObject([{ upBytes: 900 + FINISHED_BYTES, downBytes: 3000 }]);
    expect(bench.stage.calls.watched).toBe(0);
  });

  it("over HTTP/2 are counted as such, and those to nobody only where they stream", () => {
    const bench = new CallBench();
    const clock = new TalkClock();
    const second = new TlsTalk(bench, { ...OPENAI, alpn: ["h2"], clientPort: 50_001 }, clock);
    second.up(900);
    second.wait(100);
    second.down(3000);
    second.close();
    const other = new TlsTalk(bench, { serverName: "www.example.org", clientPort: 50_002 }, clock);
    other.up(900);
    other.wait(100);
    other.down(3000);
    other.wait(100);
    other.stream();
    other.close();
    bench.finish();
    expect(bench.calls).toMatchObject([{ transport: 1, isStream: false }, { isStream: true }]);
    expect(bench.counter("nam_ai_calls_total", { provider: "none", transport: "tls_h1" })).toBe(1);
  });

  it("come to the same however the stream is cut into segments", () => {
    const callsWith = (segmentBytes: number): readonly object[] => {
      const bench = new CallBench();
      const talk = new TlsTalk(bench, { ...OPENAI, segmentBytes });
      talk.stream({ events: 60 });
      talk.stream({ up: 1700, events: 60 });
      talk.close();
      bench.finish();
      return bench.calls;
    };
    const whole = callsWith(1448);
    expect(whole).toMatchObject([{ isStream: true }, { isStream: true, upBytes: 1700 }]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1448 }), (segmentBytes) => {
        expect(callsWith(segmentBytes)).toEqual(whole);
      }),
      { numRuns: 12 },
    );
  });
});

describe("calls over QUIC", () => {
  it("are counted by datagrams, acknowledgments left out", () => {
    const bench = new CallBench();
    const talk = new QuicTalk(bench, { serverName: "gemini.google.com" });
    talk.up(900);
    talk.wait(400);
    for (let at = 0; at < 80; at++) {
      talk.down(350);
      talk.wait(2);
      talk.up(35);
      talk.wait(23);
    }
    bench.finish();
    expect(bench.calls).toMatchObject([
      { transport: 2, upBytes: 900, downBytes: 28_000, isStream: true, host: "gemini.google.com" },
    ]);
    expect(bench.calls[0]?.ttftMs).toBeCloseTo(400, 0);
  });

  it("are not answered by acknowledgments", () => {
    const bench = new CallBench();
    const talk = new QuicTalk(bench, { serverName: "gemini.google.com" });
    for (let at = 0; at < 20; at++) {
      talk.up(1200);
      talk.wait(20);
      for (let ack = 0; ack < 5; ack++) talk.down(35);
    }
    talk.wait(400);
    talk.down(1200);
    bench.finish();
    expect(bench.calls).toMatchObject([{ upBytes: 24_000, downBytes: 1200 }]);
    expect(bench.calls[0]?.ttftMs).toBeCloseTo(800, 0);
  });

  it("are no token stream where both sides talk, as at a meeting", () => {
    const bench = new CallBench();
    const talk = new QuicTalk(bench, { serverName: "meet.example.org" });
    for (let at = 0; at < 200; at++) {
      talk.up(320);
      talk.wait(10);
      talk.down(320);
      talk.wait(10);
    }
    bench.finish();
    expect(bench.calls).toEqual([]);
  });
});

describe("losses", () => {
  it("within records do not matter, and hidden headers are found again", () => {
    const bench = new CallBench();
    const talk = new TlsTalk(bench, { serverName: "llm.example.net" });
    const random = randomOf(9);
    talk.isLost = () => random() < 0.05;
    talk.stream({ events: 200 });
    talk.isLost = () => false;
    talk.close();
    bench.finish();
    expect(bench.calls).toMatchObject([{ isStream: true }]);
    expect(bench.counter("nam_ai_stream_gaps_total", { outcome: "resumed" })).toBeGreaterThan(0);
    expect(bench.counter("nam_ai_stream_gaps_total", { outcome: "given_up" })).toBe(0);
  });

  it("after which no record begins are given up", () => {
    const bench = new CallBench();
    const talk = new TlsTalk(bench, OPENAI);
    talk.up(900);
    talk.wait(100);
    talk.say(false, Buffer.alloc(100 * 1400, 0xed));
    bench.finish();
    expect(bench.calls).toEqual([]);
    expect(bench.counter("nam_ai_stream_gaps_total", { outcome: "given_up" })).toBe(1);
    expect(bench.stage.calls.watched).toBe(0);
  });

  it("that are made up for, twice, are counted once", () => {
    const bench = new CallBench();
    const talk = new TlsTalk(bench, OPENAI);
    const request = applicationData(1195);
    talk.segment(true, request);
    talk.segment(true, request, 0x18, request.length);
    talk.segment(true, request.subarray(200), 0x18, request.length - 200);
    talk.wait(200);
    talk.down(900);
    talk.close();
    bench.finish();
    expect(bench.calls).toMatchObject([{ upBytes: 1200 + FINISHED_BYTES, downBytes: 900 }]);
  });
});

describe("poison", () => {
  it.each<[string, string]>([
    ["a length beyond all records", "170303ffff"],
    ["a record of nothing", "1703030000"],
    ["a type that there is not", "ff03030010"],
    ["a version that there is not", "1709030010"],
  ])("of %s in a stream ends the watch, and no call comes of it", (_, header) => {
    const bench = new CallBench();
    const talk = new TlsTalk(bench, OPENAI);
    for (let at = 0; at < 200; at++) {
      talk.up(300);
      talk.say(false, Buffer.concat([Buffer.from(header, "hex"), Buffer.alloc(60, 0xed)]));
      talk.wait(10);
    }
    bench.finish();
    expect(bench.calls).toEqual([]);
    expect(bench.stage.calls.watched).toBe(0);
  });

  it("of random bytes in either direction is survived, and never counts more than was sent", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.uint8Array({ minLength: 1, maxLength: 1400 })), {
          maxLength: 120,
        }),
        (pieces) => {
          const bench = new CallBench();
          const talk = new TlsTalk(bench, OPENAI);
          let sent = 0;
          for (const [isFromClient, data] of pieces) {
            talk.say(isFromClient, data);
            talk.wait(7);
            sent += data.length;
          }
          talk.close();
          bench.finish();
          const counted = bench.calls.reduce((sum, call) => sum + call.upBytes + call.downBytes, 0);
          // A record's length is believed when it is whole: its last bytes may have been lost.
          expect(counted).toBeLessThanOrEqual(sent + 1000);
        },
      ),
      { numRuns: 20 },
    );
  });
});
