// SPDX-License-Identifier: AGPL-3.0-or-later
// Calls to language models in clear text are measured as those in TLS are, and nothing but these.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { PLAIN_TRANSPORT } from "../../src/flow/ai/ai-call.ts";
import { bytes, ethernet, frameOf, ipv4, tcp } from "../decode/frames.ts";
import { recordTalks, TALKS, type TalkName } from "../support/agent-talks.ts";
import { CallBench } from "../support/ai-calls.ts";
import { TalkClock, TlsTalk } from "../support/encrypted-talk.ts";
import { windowsOf } from "../support/windows-of.ts";

const CLIENT = "10.0.0.5";
const SERVER = "10.0.0.80";
const PORT = 11_434;
const FIN = 0x11;
const START_SECONDS = 1_790_000_000;
const folder = mkdtempSync(join(tmpdir(), "nam-plain-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** One connection in clear text, segment by segment. */
class PlainTalk {
  readonly bench = new CallBench();
  ms = 0;
  readonly #next = { client: 1000, server: 5000 };

  client(text: string, more: { again?: boolean; flags?: number } = {}): void {
    this.#send("client", text, more);
  }

  server(text: string, more: { flags?: number } = {}): void {
    this.#send("server", text, more);
  }

  wait(ms: number): void {
    this.ms += ms;
  }

  /** The calls, after the connection was closed. */
  calls() {
    this.client("", { flags: FIN });
    this.bench.finish();
    return this.bench.calls.map(({ startMs, ttftMs, upBytes, downBytes, isStream, host }) => {
      return { startMs: startMs % 1000, ttftMs, upBytes, downBytes, isStream, host };
    });
  }

  #send(who: "client" | "server", text: string, { again = false, flags = 0x18 } = {}): void {
    const payload = bytes(text);
    if (again) this.#next[who] -= payload.length;
    const isClient = who === "client";
    const segment = tcp({
      ...{ sourcePort: isClient ? 50_000 : PORT, destinationPort: isClient ? PORT : 50_000 },
      ...{ sequence: this.#next[who], flags, payload },
    });
    this.#next[who] += payload.length;
    const ends = { source: isClient ? CLIENT : SERVER, destination: isClient ? SERVER : CLIENT };
    const content = ethernet(0x0800, ipv4({ protocol: 6, ...ends, payload: segment }));
    const seconds = START_SECONDS + Math.floor(this.ms / 1000);
    this.bench.frame(frameOf(content, { seconds, nanoseconds: (this.ms % 1000) * 1e6 }));
  }
}

function request(path: string, body: string, host = "llm.corp.example"): string {
  const fields = `Host: ${host}:${PORT}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
  return `POST ${path} HTTP/1.1\r\n${fields}\r\n\r\n${body}`;
}

const REPLY = '{"id":"x","object":"chat.completion"}';
const ANSWER = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${REPLY.length}\r\n\r\n${REPLY}`;
const CHAT = request("/v1/chat/completions", '{"model":"m"}');
const EVENT = `{"model":"m","created_at":"${"0".repeat(60)}","done":false}\n`;

describe("calls in clear text", () => {
  it("are measured from the request to the reply, over a connection that is kept", () => {
    const talk = new PlainTalk();
    for (const pauseMs of [300, 700]) {
      talk.client(CHAT);
      talk.wait(pauseMs);
      talk.server(ANSWER);
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

  it("count what was sent twice once, and bodies in further segments", () => {
    const talk = new PlainTalk();
    const text = request("/v1/chat/completions", `{"model":"${"m".repeat(3000)}"}`);
    for (let at = 0; at < text.length; at += 1400) talk.client(text.slice(at, at + 1400));
    talk.client(text.slice(-100), { again: true });
    talk.server(ANSWER);
    expect(talk.calls()).toMatchObject([{ upBytes: text.length, downBytes: ANSWER.length }]);
  });

  it("are those that the server understood: not a page, a refusal, or another request", () => {
    const talk = new PlainTalk();
    talk.client(CHAT);
    talk.server("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    talk.client(request("/orders", '{"model":"m"}'));
    talk.server(ANSWER);
    talk.client(CHAT);
    talk.server(ANSWER);
    talk.client(`GET /v1/models HTTP/1.1\r\nHost: x\r\nCookie: ${"c".repeat(400)}\r\n\r\n`);
    talk.server(ANSWER);
    expect(talk.calls()).toHaveLength(1);
  });

  it("count where the reply ends the connection in the same segment", () => {
    const talk = new PlainTalk();
    talk.client(CHAT);
    talk.server(ANSWER, { flags: FIN | 0x08 });
    expect(talk.calls()).toHaveLength(1);
  });

  it("to a host with a known provider's name count for that", () => {
    const talk = new PlainTalk();
    talk.client(request("/v1/chat/completions", '{"model":"m"}', "api.openai.com"));
    talk.server(ANSWER);
    talk.calls();
    const labels = { provider: "openai", transport: "plain" };
    expect(talk.bench.counter("nam_ai_calls_total", labels)).toBe(1);
  });

  it("show a token stream by its shape, and an agent's loop by its growing uploads", () => {
    const talk = new PlainTalk();
    for (let call = 0; call < 6; call++) {
      talk.client(request("/api/chat", `{"model":"${"m".repeat(400 * (call + 1))}"}`));
      talk.wait(200);
      talk.server("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n");
      talk.server("Transfer-Encoding: chunked\r\n\r\n");
      for (let event = 0; event < 60; event++) {
        talk.wait(30);
        talk.server(`${EVENT.length.toString(16)}\r\n${EVENT}\r\n`);
      }
      talk.server("0\r\n\r\n");
      talk.wait(500);
    }
    expect(talk.calls().map(({ isStream }) => isStream)).toEqual(Array(6).fill(true));
    const agents = talk.bench.windows.flatMap(({ ai_agents }) => ai_agents);
    expect(agents.some(({ hasLoop, isActive }) => hasLoop && isActive)).toBe(true);
  });

  it("make their client one whose further destinations are followed", () => {
    const talk = new PlainTalk();
    const clock = new TalkClock();
    clock.nowMs = 5000;
    talk.client(CHAT);
    talk.server(ANSWER, { flags: FIN | 0x08 });
    const options = { client: CLIENT, clientPort: 50_001, serverName: "paste.example" };
    const other = new TlsTalk(talk.bench, options, clock);
    other.up(500);
    other.close();
    talk.bench.finish();
    const destinations = talk.bench.windows.flatMap(({ ai_destinations }) => ai_destinations);
    expect(destinations.map(({ destination }) => destination)).toContain("paste.example");
  });

  it.each(Object.keys(TALKS) as TalkName[])(
    "are as many as there are in the talk of %s",
    async (name) => {
      const path = join(folder, "talk.pcap");
      for (const segmentBytes of [1448, 100]) {
        const ends = { client: CLIENT, server: SERVER, port: PORT };
        writeFileSync(path, await recordTalks([name], ends, segmentBytes));
        const rows = (await windowsOf(path)).flatMap((window) => window.rows.ai_calls);
        const wanted = Object.entries<number>(TALKS[name])
          .filter(([kind]) => /^(openai_rest|anthropic_rest|ollama) call$/.test(kind))
          .reduce((sum, [, count]) => sum + count, 0);
        expect(rows.reduce((sum, { calls }) => sum + calls, 0)).toBe(wanted);
      }
    },
  );
});
