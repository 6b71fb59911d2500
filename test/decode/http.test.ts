// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { Field } from "../../src/decode/http-field.ts";
import { bytes, hex } from "./frames.ts";
import { Talk } from "./talk.ts";

const GET = "GET /index.html HTTP/1.1\r\nHost: Www.Example.com\r\nUser-Agent: test\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody";

function requests(talk: Talk): Record<string, number> {
  return talk.decoding.series("nam_http_requests_total");
}

function responses(talk: Talk): Record<string, number> {
  return talk.decoding.series("nam_http_responses_total");
}

describe("http messages", () => {
  it("are counted behind one another in one segment", () => {
    const talk = new Talk();
    talk.client(GET + GET + GET);
    talk.server(`${OK + OK}HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n`);
    expect(requests(talk)).toEqual({ get: 3 });
    expect(responses(talk)).toEqual({ "2xx": 2, "4xx": 1 });
    expect(talk.decoding.packet.facts.http).toMatchObject({ responses: 3, status: 404 });
  });

  it("are counted over segments of one byte", () => {
    const talk = new Talk(80);
    talk.client("GET /index.ht");
    talk.bytewise("client", `ml HTTP/1.1\r\nHost: a\r\n\r\n${GET}`);
    talk.server("HTTP/1.1 200");
    talk.bytewise("server", ` OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n${OK}`);
    expect(requests(talk)).toEqual({ get: 2 });
    expect(responses(talk)).toEqual({ "2xx": 2 });
  });

  it("are not seen in bodies, whatever these hold", () => {
    const talk = new Talk();
    const body = GET + OK;
    talk.client(`POST / HTTP/1.1\r\nContent-Length: ${body.length * 2}\r\n\r\n`);
    talk.client(body);
    talk.client(body + GET);
    expect(requests(talk)).toEqual({ post: 1, get: 1 });
    const chunk = `${body.length.toString(16).toUpperCase()};x=y\r\n${body}\r\n`;
    talk.server(`HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n${chunk}`);
    talk.server(`${chunk}0\r\nTrailer: GET / HTTP/1.1\r\n\r\n${OK}`);
    expect(responses(talk)).toEqual({ "2xx": 2 });
  });

  it("have no body where the request or the status says so", () => {
    const talk = new Talk();
    talk.client("HEAD / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n");
    const head = "HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n";
    talk.server(`${head}HTTP/1.1 304 Not Modified\r\nContent-Length: 4000\r\n\r\n${OK}`);
    talk.server(`HTTP/1.1 100 Continue\r\n\r\n${OK}`);
    talk.server(`HTTP/1.1 204 No Content\r\n\r\n${OK}`);
    expect(responses(talk)).toEqual({ "1xx": 1, "2xx": 5, "3xx": 1 });
  });

  it("are counted once, however often they are sent", () => {
    const talk = new Talk();
    talk.client(GET);
    talk.again("client", GET, GET.length);
    talk.again("client", GET.slice(-20), 20);
    talk.client(GET);
    expect(requests(talk)).toEqual({ get: 2 });
  });

  it("are found again behind a gap, and behind a body that ends with the connection", () => {
    const talk = new Talk();
    talk.client(GET);
    talk.lose("client", 500);
    talk.client("the rest of something\r\n\r\n");
    talk.client(GET);
    expect(requests(talk)).toEqual({ get: 2 });
    talk.server("HTTP/1.0 200 OK\r\n\r\nbody");
    talk.server(`GET / HTTP/1.1\r\n\r\n`);
    talk.server(OK);
    expect(requests(talk)).toEqual({ get: 2 });
    expect(responses(talk)).toEqual({ "2xx": 2 });
  });

  it("are found again behind something that is no message", () => {
    const talk = new Talk();
    talk.client(GET);
    talk.client("a body that nothing announced\r\n");
    talk.client(GET);
    expect(requests(talk)).toEqual({ get: 2 });
    talk.server(OK);
    talk.server("something else\r\n");
    talk.server(OK);
    expect(responses(talk)).toEqual({ "2xx": 2 });
  });

  it.each<[string, string, number, boolean]>([
    ["a part of a header", "HTTP/1.1 200 OK\r\nContent-Le", -1, true],
    ["a header", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", 10, true],
    [
      "a header and a part of its body",
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1234",
      6,
      false,
    ],
    ["a whole response", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n1234", 0, false],
    ["one without a body", "HTTP/1.1 204 No Content\r\n\r\n", 0, false],
    ["a promise of one", "HTTP/1.1 100 Continue\r\n\r\n", -1, true],
    ["a header of chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", -1, true],
    ["a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", -1, false],
    ["all chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, false],
    ["what only the close ends", "HTTP/1.1 200 OK\r\n\r\n{}", -1, false],
  ])("tell where they end: %s", (_, text, responseRest, bodyPending) => {
    const talk = new Talk();
    talk.client(GET);
    expect(talk.server(text).facts.http).toMatchObject({ responseRest, bodyPending });
  });

  it("tell where they end when the header's last byte comes alone", () => {
    const talk = new Talk();
    talk.client(GET);
    talk.server("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r");
    const facts = { responseRest: 10, bodyPending: true };
    expect(talk.server("\n").facts.http).toMatchObject(facts);
  });

  it("do not end before the last of several that are owed", () => {
    const talk = new Talk();
    talk.client(GET + GET);
    expect(talk.server(OK).facts.http?.responseRest).toBe(-1);
    expect(talk.server(OK).facts.http?.responseRest).toBe(0);
  });

  it("are lost in a flood of line ends, and found again", () => {
    const talk = new Talk();
    talk.client(GET);
    talk.client("\n".repeat(1000));
    talk.client(GET);
    expect(requests(talk)).toEqual({ get: 2 });
  });

  it("do not notice a gap within a body", () => {
    const talk = new Talk();
    talk.server("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    talk.lose("server", 1000);
    talk.server(OK);
    expect(responses(talk)).toEqual({ "2xx": 2 });
  });

  it("count where the capture cut their header", () => {
    const talk = new Talk();
    talk.cut("client", GET, 20);
    talk.cut("client", GET, 40);
    talk.cut("server", OK, 13);
    expect(requests(talk)).toEqual({ get: 2 });
    expect(responses(talk)).toEqual({ "2xx": 1 });
  });

  it.each([
    ["GET http://example.com/ HTTP/1.1", "get"],
    ["OPTIONS * HTTP/1.1", "options"],
    ["CONNECT example.com:443 HTTP/1.1", "connect"],
    ["PROPFIND /share HTTP/1.1", "other"],
    ["TRACE / HTTP/1.0", "trace"],
  ])("begin with %s", (line, method) => {
    const talk = new Talk();
    talk.client(`${line}\n\n`);
    expect(talk.application).toBe("http");
    expect(requests(talk)).toEqual({ [method]: 1 });
  });

  it.each([
    "GET key\r\n is not HTTP",
    "GET /path\r\n of version 0.9",
    "OPTIONS * RTSP/1.0\r\n",
    "PLAY /film HTTP/2.0\r\n",
    "HTTP/1.1 OK\r\n",
    "HTTP/1.1 999 No\r\n",
    "SEARCH engine HTTP/1.1\r\n",
  ])("do not begin with %s", (text) => {
    const talk = new Talk();
    talk.client(text);
    expect(talk.application).toBe("other");
  });
});

describe("what a segment of http tells", () => {
  it("is the host, the method and whether there is a user agent", () => {
    const talk = new Talk();
    const packet = talk.client(GET);
    const { http } = packet.facts;
    expect(http).toMatchObject({ packet: packet.number, requests: 1, method: 0, status: -1 });
    expect(http?.host(packet)).toBe("www.example.com");
    expect(http?.fields).toBe(Field.HOST | Field.USER_AGENT);
    talk.client("GET / HTTP/1.1\r\n\r\n");
    expect(http?.host(packet)).toBeNull();
    expect(http?.fields).toBe(0);
  });

  it("is the host wherever segments cut its line, in the one that ends it", () => {
    const [before, line, behind] = ["GET / HTTP/1.1\r\n", "Host: cut.example\r\n", "Accept: */"];
    for (let cut = 1; cut < line.length; cut++) {
      const talk = new Talk();
      const host = () => talk.decoding.packet.facts.http?.host(talk.decoding.packet);
      talk.client(before + line.slice(0, cut));
      expect(host()).toBeNull();
      talk.client(line.slice(cut) + behind);
      expect(host()).toBe("cut.example");
      talk.client("*\r\n\r\n");
      expect(host()).toBeNull();
    }
  });

  it("is no host of which the beginning alone was kept", () => {
    const host = (length: number): string | null | undefined => {
      const talk = new Talk();
      talk.client("GET / HTTP/1.1\r\nHo");
      const packet = talk.client(`st: ${"h".repeat(length)}\r\n\r\n`);
      return packet.facts.http?.host(packet);
    };
    expect(host(57)).toBe("h".repeat(57));
    expect(host(58)).toBeNull();
  });

  it("is that a request header is still open, as slow clients leave it", () => {
    const talk = new Talk();
    const isOpen = () => talk.decoding.packet.facts.http?.headerOpen;
    talk.client("GET / HTTP/1.1\r\n");
    expect(isOpen()).toBe(true);
    talk.client("X-a: b\r");
    expect(isOpen()).toBe(true);
    talk.server("HTTP/1.1 408 Too slow\r\n");
    expect(isOpen()).toBe(false);
    talk.client("\n\r\n");
    expect(isOpen()).toBe(false);
    expect(requests(talk)).toEqual({ get: 1 });
  });
});

describe("a flow of http", () => {
  it("becomes a WebSocket by an upgrade", () => {
    const talk = new Talk(80);
    talk.client("GET /chat HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
    talk.server("HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\n\r\n");
    expect(talk.application).toBe("http");
    expect(responses(talk)).toEqual({ "1xx": 1 });
    talk.client(hex("8182 00000000 6869"));
    expect(talk.application).toBe("websocket");
    talk.client(GET);
    expect(talk.application).toBe("websocket");
  });

  it("becomes HTTP/2 by an upgrade", () => {
    const talk = new Talk(80);
    talk.client("GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n");
    talk.server("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n");
    talk.server(hex("000000 04 00 00000000"));
    talk.client(bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", hex("000000 04 01 00000000")));
    expect(talk.verdict).toBe("http2");
    expect(talk.decoding.series("nam_http2_frames_total")).toEqual({ settings: 2 });
  });

  it("is open for anything behind a CONNECT that succeeded", () => {
    const talk = new Talk(3128);
    talk.client("CONNECT git.example:22 HTTP/1.1\r\nHost: git.example\r\n\r\n");
    expect(talk.verdict).toBe("none");
    talk.server("HTTP/1.1 200 Connection established\r\n\r\n");
    expect(talk.verdict).toBe("none");
    expect(responses(talk)).toEqual({ "2xx": 1 });
    talk.server("SSH-2.0-OpenSSH_9.2\r\n");
    expect(talk.verdict).toBe("ssh");
  });

  it("stays what it is behind a CONNECT that failed, and whatever a body begins with", () => {
    const talk = new Talk(3128);
    talk.client("CONNECT git.example:22 HTTP/1.1\r\n\r\n");
    talk.server("HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\n");
    talk.server("SSH-2.0-OpenSSH_9.2\r\n");
    expect(talk.verdict).toBe("http");
  });
});

describe("http2", () => {
  it("is followed frame by frame, over segments and gaps", () => {
    const talk = new Talk();
    const settings = hex("000006 04 00 00000000 0003 00000064");
    const reset = hex("000004 03 00 00000001 00000008");
    talk.client(bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", settings, reset.subarray(0, 5)));
    talk.client(bytes(reset.subarray(5), hex("000010 01 04 00000003 01")));
    talk.client(bytes(new Uint8Array(15), settings));
    talk.lose("client", 30);
    talk.client(reset);
    expect(talk.decoding.series("nam_http2_frames_total")).toEqual({
      settings: 2,
      rst_stream: 2,
      headers: 1,
    });
  });
});
