// SPDX-License-Identifier: AGPL-3.0-or-later
// Calls by what both ends of one connection send, and when.
import { beforeEach, describe, expect, it } from "vitest";
import { AI_TRANSPORTS, PLAIN_TRANSPORT } from "../../../src/flow/ai/ai-call.ts";
import { CallMeter } from "../../../src/flow/ai/call-meter.ts";

const ROW = 9;
const HTTP1 = AI_TRANSPORTS.indexOf("tls_h1");
const HTTP2 = AI_TRANSPORTS.indexOf("tls_other");
let meter: CallMeter;
let calls: string[];

beforeEach(() => {
  calls = [];
  meter = new CallMeter({
    onCallEnd(row) {
      const { startMs, firstMs, lastMs, up, down } = meter;
      calls.push(
        `${startMs[row]} ${firstMs[row]} ${lastMs[row]}: ${up[row]} up, ${down[row]} down`,
      );
    },
  });
  meter.begin(ROW, 0, HTTP1);
  meter.greeted(ROW, 10);
});

/** `>200@50`: the client sends 200 bytes at 50 ms; `<`: the server does. */
function say(...events: readonly string[]): void {
  for (const event of events) {
    const [, way, bytes, at] = /^([<>])(\d+)@(\d+)$/.exec(event) ?? [];
    if (way === ">") meter.fromClient(ROW, Number(bytes), Number(at));
    else meter.fromServer(ROW, Number(bytes), Number(at));
  }
}

describe("a call", () => {
  it("lasts from the client's first byte to the server's last, and ends with the next request", () => {
    say(">500@100", ">700@110", "<300@400", "<900@500", ">250@900", "<80@1000");
    expect(calls).toEqual(["100 400 500: 1200 up, 1200 down"]);
    meter.end(ROW);
    expect(calls[1]).toBe("900 1000 1000: 250 up, 80 down");
    meter.end(ROW);
    expect(calls).toHaveLength(2);
  });

  it.each([
    [199, []],
    [200, ["100 400 400: 200 up, 50 down"]],
  ])("sends 200 bytes at least: %i", (bytes, wanted) => {
    say(`>${bytes}@100`, "<50@400");
    meter.end(ROW);
    expect(calls).toEqual(wanted);
  });

  it("begins with what is a request, not with what waited long before it", () => {
    say(">74@20", ">400@5000", "<50@5400");
    meter.end(ROW);
    expect(calls).toEqual(["5000 5400 5400: 474 up, 50 down"]);
  });

  it("goes on while the client only acknowledges", () => {
    say(">500@100", "<300@400", ">100@410", "<300@420", ">101@430");
    expect(calls).toEqual(["100 400 420: 500 up, 600 down"]);
  });

  it("ends with ten seconds of silence, and then the server's bytes are none of it", () => {
    say(">500@100", "<300@400", "<300@10399");
    meter.elapse(ROW, 20_398);
    expect(calls).toEqual([]);
    meter.elapse(ROW, 20_399);
    expect(calls).toEqual(["100 400 10399: 500 up, 600 down"]);
    say("<300@20500");
    meter.end(ROW);
    expect(calls).toHaveLength(1);
  });

  it.each([
    [HTTP1, 72, ["100 400 400: 5300 up, 900 down"]],
    [HTTP1, 73, ["100 150 150: 300 up, 73 down", "160 400 400: 5000 up, 900 down"]],
    [HTTP2, 160, ["100 400 400: 5300 up, 900 down"]],
    [HTTP2, 161, ["100 150 150: 300 up, 161 down", "160 400 400: 5000 up, 900 down"]],
  ])("is not answered by what lets the client go on: %i, %i bytes", (transport, bytes, wanted) => {
    meter.begin(ROW, 0, transport);
    say(">300@100", `<${bytes}@150`, ">5000@160", "<900@400");
    meter.end(ROW);
    expect(calls).toEqual(wanted);
  });

  it("in clear text does not end with silence, and its reply begins behind the header", () => {
    meter.begin(ROW, 0, PLAIN_TRANSPORT);
    say(">50@100");
    meter.fromServer(ROW, 200, 400, true);
    expect(meter.isReplying(ROW)).toBe(true);
    say("<300@15000", "<300@30000");
    meter.end(ROW);
    expect(calls).toEqual(["100 15000 30000: 50 up, 800 down"]);
    expect(meter.isReplying(ROW)).toBe(false);
  });

  it("waits ten minutes for a first byte, and no longer", () => {
    say(">500@100", "<300@600099");
    meter.end(ROW);
    expect(calls).toEqual(["100 600099 600099: 500 up, 300 down"]);
    say(">500@700000", "<300@1300000");
    meter.end(ROW);
    expect(calls).toHaveLength(1);
  });

  it("is not answered by session tickets, which come soon and are four at most", () => {
    say(">574@20", "<280@25", "<280@42", "<300@43");
    meter.end(ROW);
    expect(calls).toEqual(["20 43 43: 574 up, 300 down"]);
    meter.begin(ROW, 0, HTTP1);
    meter.greeted(ROW, 10);
    say(">574@20", "<280@21", "<280@21", "<280@21", "<280@21", "<280@21");
    meter.end(ROW);
    expect(calls[1]).toBe("20 21 21: 574 up, 280 down");
  });

  it("of another connection in the same row knows nothing of the one before", () => {
    say(">500@100");
    meter.begin(ROW, 200, HTTP1);
    meter.greeted(ROW, 210);
    say("<300@400");
    meter.end(ROW);
    expect(calls).toEqual([]);
  });

  it("is shown to be no stream by eight large records of at most fifteen", () => {
    say(">500@100", ...Array.from({ length: 8 }, (_, at) => `<300@${400 + at}`));
    say(...Array.from({ length: 8 }, (_, at) => `<1200@${500 + at}`));
    expect(meter.isBulk(ROW)).toBe(false);
    say("<1200@600");
    expect(meter.isBulk(ROW)).toBe(true);
    meter.end(ROW);
    expect(meter.isBulk(ROW)).toBe(false);
  });
});
