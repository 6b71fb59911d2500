// SPDX-License-Identifier: AGPL-3.0-or-later
// Calls to language models in clear text are measured as those in TLS are, and nothing but these.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { PLAIN_TRANSPORT } from "../../src/flow/ai/ai-call.ts";
import { recordTalks, TALKS, type TalkName } from "../support/agent-talks.ts";
import { TlsTalk } from "../support/encrypted-talk.ts";
import { answer, chunk, header, PLAIN_ENDS, PlainTalk, request } from "../support/plain-talk.ts";
import { windowsOf } from "../support/windows-of.ts";

const { client: CLIENT, server: SERVER, clientPort, serverPort: PORT } = PLAIN_ENDS;
const folder = mkdtempSync(join(tmpdir(), "nam-plain-"));
afterAll(() => rmSync(folder, { recursive: true }));

const REPLY = '{"id":"x","object":"chat.completion"}';
const ANSWER = answer(REPLY);
const CHAT = request("/v1/chat/completions", '{"model":"m"}');
const GET_PAGE = "GET /index.html HTTP/1.1\r\nHost: x\r\n\r\n";
const PAGE = `${header("200 OK", "Content-Type: text/html", "Content-Length: 300")}${"p".repeat(300)}`;
const CHUNKED = "Transfer-Encoding: chunked";
const JSON_TYPE = "Content-Type: application/json";
const EVENT = `{"model":"m","created_at":"${"0".repeat(60)}","done":false}\n`;

describe("calls in clear text", () => {
  it("are measured from the request to the reply, over a connection that is kept", () => {
    const talk = new PlainTalk();
    for (const pauseMs of [300, 700]) {
      talk.clientSays(CHAT);
      talk.wait(pauseMs);
      talk.serverSays(ANSWER);
      talk.wait(1000 - pauseMs);
    }
    const call = { startMs: 0, upBytes: CHAT.length, downBytes: ANSWER.length };
    const others = { isStream: false, host: "llm.corp.example" };
    expect(talk.calls()).toEqual([
      { ...call, ttftMs: 300, ...others },
      { ...call, ttftMs: 700, ...others },
    ]);
    expect(talk.bench.calls.map(({ transport }) => transport)).toEqual([
      PLAIN_TRANSPORT,
      PLAIN_TRANSPORT,
    ]);
    const labels = { provider: "none", transport: "plain" };
    expect(talk.bench.counter("nam_ai_calls_total", labels)).toBe(2);
    expect(talk.bench.windows.flatMap(({ ai_calls }) => ai_calls)).toMatchObject([
      { client: CLIENT, server: SERVER, port: PORT, protocol: "http", calls: 1 },
      { client: CLIENT, server: SERVER, port: PORT, protocol: "http", calls: 1 },
    ]);
  });

  it.each([9, 20, 60, 1400])(
    "count a header that comes in segments of %i bytes whole",
    (length) => {
      const talk = new PlainTalk();
      talk.clientSays("GET /orders HTTP/1.1\r\nHost: x\r\n\r\n");
      talk.serverSays("HTTP/1.1 204 No Content\r\n\r\n");
      for (let at = 0; at < CHAT.length; at += length) talk.clientSays(CHAT.slice(at, at + length));
      talk.serverSays(ANSWER);
      expect(talk.calls()).toMatchObject([{ upBytes: CHAT.length, downBytes: ANSWER.length }]);
    },
  );

  it("count what was sent twice once, and bodies in further segments", () => {
    const talk = new PlainTalk();
    const text = request("/v1/chat/completions", `{"model":"${"m".repeat(3000)}"}`);
    for (let at = 0; at < text.length; at += 1400) talk.clientSays(text.slice(at, at + 1400));
    talk.clientRepeats(text.slice(-100));
    talk.serverSays(ANSWER);
    expect(talk.calls()).toMatchObject([{ upBytes: text.length, downBytes: ANSWER.length }]);
  });

  it("go on while a server that has sent a header thinks, and what comes late proves no other request", () => {
    const talk = new PlainTalk();
    const asked = request("/api/chat", '{"model":"m"}');
    const body = '{"model":"m","message":{}}';
    const reply = [header("200 OK", JSON_TYPE, `Content-Length: ${body.length}`), body] as const;
    talk.clientSays(asked);
    talk.serverSays(reply[0]);
    talk.wait(12_000);
    talk.serverSays(reply[1]);
    talk.clientSays(GET_PAGE);
    talk.serverSays(PAGE);
    expect(talk.calls()).toMatchObject([
      { ttftMs: 12_000, downBytes: reply.join("").length, upBytes: asked.length },
    ]);
  });

  it("wait for the first byte of a body however long it takes, and count the stream behind it", () => {
    const talk = new PlainTalk();
    talk.clientSays(CHAT);
    talk.wait(50);
    talk.serverSays(header("200 OK", "Content-Type: text/event-stream", CHUNKED));
    talk.wait(30_000);
    for (let event = 0; event < 60; event++) {
      talk.serverSays(chunk(`data: ${EVENT}\n`));
      talk.wait(event === 30 ? 15_000 : 30);
    }
    talk.serverSays(chunk(""));
    expect(talk.calls()).toMatchObject([{ ttftMs: 30_050, isStream: true }]);
  });

  it.each<[string, readonly string[]]>([
    ["in one segment", [ANSWER]],
    ["byte by byte behind the status", [ANSWER.slice(0, 20), ...ANSWER.slice(20)]],
    ["with a body in pieces", [header("200 OK", JSON_TYPE, "Content-Length: 2"), "{", "}"]],
    ["in chunks", [header("200 OK", JSON_TYPE, CHUNKED), chunk("{}"), chunk("")]],
    ["without a body", [header("200 OK", JSON_TYPE, "Content-Length: 0")]],
  ])("are told when the reply is whole: %s", (_, reply) => {
    const talk = new PlainTalk();
    talk.clientSays(CHAT);
    for (const part of reply.slice(0, -1)) talk.serverSays(part);
    expect(talk.bench.calls).toEqual([]);
    talk.serverSays(reply.at(-1) ?? "");
    expect(talk.bench.calls).toMatchObject([{ downBytes: reply.join("").length }]);
  });

  it("are one where the client waits to be told to go on with its body", () => {
    const talk = new PlainTalk();
    const body = JSON.stringify({ model: "m", prompt: "p".repeat(2000) });
    const asked = request("/v1/chat/completions", body, undefined, "Expect: 100-continue\r\n");
    talk.clientSays(asked.slice(0, -body.length));
    talk.wait(20);
    talk.serverSays(header("100 Continue"));
    talk.clientSays(body);
    talk.wait(700);
    talk.serverSays(ANSWER);
    expect(talk.bench.calls).toMatchObject([
      { upBytes: asked.length, downBytes: ANSWER.length, ttftMs: 720 },
    ]);
    expect(talk.calls()).toHaveLength(1);
  });

  it("count where the client has ended its side before the reply", () => {
    const talk = new PlainTalk();
    talk.clientEnds(CHAT);
    talk.wait(700);
    talk.serverSays(ANSWER);
    expect(talk.bench.calls).toMatchObject([{ ttftMs: 700 }]);
    talk.serverEnds("");
    expect(talk.bench.stage.calls.watched).toBe(0);
  });

  it.each([0, 1])("end with a reset, %i of them under way", (calls) => {
    const talk = new PlainTalk();
    talk.clientSays(CHAT);
    if (calls > 0) talk.serverSays(header("200 OK", JSON_TYPE));
    talk.reset();
    expect(talk.bench.calls).toHaveLength(calls);
    expect(talk.bench.stage.calls.watched).toBe(0);
  });

  it("look like one where the client sends the next before the reply to the last", () => {
    const talk = new PlainTalk();
    talk.clientSays(CHAT + CHAT);
    talk.serverSays(ANSWER);
    talk.serverSays(ANSWER);
    expect(talk.calls()).toMatchObject([{ upBytes: 2 * CHAT.length }]);
  });

  it("are lost where a server is silent for five minutes before its reply shows what it is", () => {
    const told = [CHAT, header("200 OK", JSON_TYPE)].map((last) => {
      const talk = new PlainTalk();
      talk.clientSays(CHAT);
      if (last !== CHAT) talk.serverSays(last);
      talk.wait(310_000);
      talk.serverSays(last === CHAT ? ANSWER : "{}");
      return talk.calls().map(({ downBytes }) => downBytes);
    });
    expect(told).toEqual([[], [header("200 OK", JSON_TYPE).length]]);
  });

  it("end with the next request where a reply has no other end, however short it is", () => {
    const talk = new PlainTalk();
    const short = header("200 OK", JSON_TYPE);
    talk.clientSays(CHAT);
    talk.serverSays(short);
    talk.clientSays(CHAT);
    expect(talk.bench.calls).toMatchObject([{ upBytes: CHAT.length, downBytes: short.length }]);
  });

  it.each([5, 10, 14, 30])(
    "are whole where the second reply's first segment has %i bytes",
    (length) => {
      const talk = new PlainTalk();
      for (const cut of [ANSWER.length, length]) {
        talk.clientSays(CHAT);
        talk.serverSays(ANSWER.slice(0, cut));
        talk.serverSays(ANSWER.slice(cut));
      }
      const call = { upBytes: CHAT.length, downBytes: ANSWER.length };
      expect(talk.calls()).toMatchObject([call, call]);
    },
  );

  it("end with the connection where a reply has no other end", () => {
    const talk = new PlainTalk();
    talk.clientSays(CHAT);
    talk.serverSays(header("200 OK", JSON_TYPE));
    talk.wait(60_000);
    talk.serverSays("{}");
    talk.wait(60_000);
    expect(talk.bench.calls).toEqual([]);
    talk.serverEnds("");
    expect(talk.bench.calls).toHaveLength(1);
  });

  it.each(["401 Unauthorized", "403 Forbidden", "429 Too Many Requests", "500 Sorry"])(
    "are not those that get %s, which make nobody an agent",
    (status) => {
      const talk = new PlainTalk();
      for (let at = 0; at < 4; at++) {
        talk.clientSays(CHAT);
        talk.serverSays(answer('{"error":{"message":"no"}}', status));
      }
      expect(talk.calls()).toEqual([]);
      const rows = talk.bench.windows.flatMap(({ agent_talks }) => agent_talks);
      expect(rows).toMatchObject([{ messages: 8, errors: 4, calls: 0 }]);
      expect(talk.bench.windows.flatMap(({ ai_agents }) => ai_agents)).toEqual([]);
    },
  );

  it("are those that the server understood: not a page, what is not there, or another request", () => {
    const talk = new PlainTalk();
    talk.clientSays(CHAT);
    talk.serverSays(header("404 Not Found", "Content-Length: 0"));
    talk.clientSays(request("/orders", '{"model":"m"}'));
    talk.serverSays(ANSWER);
    talk.clientSays(CHAT);
    talk.serverSays(ANSWER);
    talk.clientSays(`GET /v1/models HTTP/1.1\r\nHost: x\r\nCookie: ${"c".repeat(400)}\r\n\r\n`);
    talk.serverSays(ANSWER);
    expect(talk.calls()).toHaveLength(1);
  });

  it("are not proved by the reply to a request before", () => {
    const talk = new PlainTalk();
    talk.clientSays(CHAT);
    talk.clientSays(CHAT);
    talk.serverSays(ANSWER);
    talk.wait(100);
    talk.serverSays(ANSWER);
    talk.clientSays(GET_PAGE);
    talk.serverSays(PAGE);
    expect(talk.calls()).toHaveLength(1);
  });

  it("count where the reply ends the connection in the same segment", () => {
    const talk = new PlainTalk();
    talk.clientSays(CHAT);
    talk.serverEnds(ANSWER);
    expect(talk.calls()).toHaveLength(1);
  });

  it("to a host with a known provider's name count for that", () => {
    const talk = new PlainTalk();
    talk.clientSays(request("/v1/chat/completions", '{"model":"m"}', "api.openai.com"));
    talk.serverSays(header("200 OK", "Content-Type: text/event-stream", CHUNKED));
    for (let event = 0; event < 60; event++) {
      talk.wait(30);
      talk.serverSays(chunk(EVENT));
    }
    talk.calls();
    const labels = { provider: "openai", transport: "plain" };
    expect(talk.bench.counter("nam_ai_calls_total", labels)).toBe(1);
    expect(talk.bench.counter("nam_ai_stream_episodes_total", { known: "yes" })).toBe(1);
  });

  it("show a token stream by its shape, and an agent's loop by its growing uploads", () => {
    const talk = new PlainTalk();
    for (let call = 0; call < 6; call++) {
      talk.clientSays(request("/api/chat", `{"model":"${"m".repeat(400 * (call + 1))}"}`));
      talk.wait(200);
      talk.serverSays("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n");
      talk.serverSays("Transfer-Encoding: chunked\r\n\r\n");
      for (let event = 0; event < 60; event++) {
        talk.wait(30);
        talk.serverSays(chunk(EVENT));
      }
      talk.serverSays(chunk(""));
      talk.wait(500);
    }
    expect(talk.calls().map(({ isStream }) => isStream)).toEqual(Array(6).fill(true));
    expect(
      talk.bench.windows.flatMap(({ ai_calls }) => ai_calls.map(({ streams }) => streams)),
    ).toEqual(Array(6).fill(1));
    expect(talk.bench.counter("nam_ai_stream_episodes_total", { known: "no" })).toBe(0);
    const agents = talk.bench.windows.flatMap(({ ai_agents }) => ai_agents);
    expect(agents.some(({ hasLoop, isActive }) => hasLoop && isActive)).toBe(true);
  });

  it("make their client one whose further destinations are followed", () => {
    const talk = new PlainTalk();
    talk.clientSays(CHAT);
    talk.serverEnds(ANSWER);
    talk.wait(5000);
    const options = { client: CLIENT, clientPort: clientPort + 1, serverName: "paste.example" };
    const other = new TlsTalk(talk.bench, options, talk.clock);
    other.up(500);
    other.close();
    talk.bench.finish();
    const destinations = talk.bench.windows.flatMap(({ ai_destinations }) => ai_destinations);
    expect(destinations.map(({ destination }) => destination)).toContain("paste.example");
  });

  it.each(Object.keys(TALKS) as TalkName[])(
    "are as many as are granted in the talk of %s",
    async (name) => {
      const path = join(folder, "talk.pcap");
      for (const segmentBytes of [1448, 100]) {
        const ends = { client: CLIENT, server: SERVER, port: PORT };
        writeFileSync(path, await recordTalks([name], ends, segmentBytes));
        const rows = (await windowsOf(path)).flatMap((window) => window.rows.ai_calls);
        const wanted = Object.entries<number>(TALKS[name])
          .filter(([kind]) => /^(openai_rest|anthropic_rest|ollama) (call|error)$/.test(kind))
          .reduce((sum, [kind, count]) => sum + (kind.endsWith("error") ? -count : count), 0);
        expect(rows.reduce((sum, { calls }) => sum + calls, 0)).toBe(wanted);
      }
    },
  );
});
