// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { answer, BOTH, call, messages, post } from "./agent-talk.ts";
import { Talk } from "./talk.ts";

describe("language models", () => {
  it("speak as OpenAI does, at any prefix and with a query", () => {
    const talk = new Talk(8000);
    const auth = "Authorization: Bearer x\r\n";
    talk.client(post('{"model":"m"}', auth, "/openai/v1/chat/completions"));
    talk.server(answer("data: {}\n\n", "text/event-stream; charset=utf-8"));
    expect(talk.decoding.packet.facts.agents).toMatchObject({ open: 0, granted: 1 });
    talk.client(post('{"model":"m"}', "", "/v1/embeddings?api-version=1"));
    talk.server(answer("{}", "application/json", "401 No"));
    expect(talk.decoding.packet.facts.agents).toMatchObject({ denied: 1, errors: 1 });
    talk.client("GET /v1/models HTTP/1.1\r\nHost: 192.0.2.1:8000\r\n\r\n");
    talk.server(answer('{"object":"list","data":[]}'));
    expect(talk.decoding.packet.facts.agents).toMatchObject({ open: 1, toAddress: 1 });
    expect(messages(talk)).toEqual({
      "openai_rest call": 2,
      "openai_rest stream": 1,
      "openai_rest error": 1,
      "openai_rest list": 1,
    });
  });

  it("are not whoever does not know the path, or answers with a page", () => {
    const talk = new Talk(8000);
    talk.client(post("{}", "", "/v1/chat/completions"));
    talk.server(answer("{}", "application/json", "404 Not Found"));
    talk.client(post("{}", "", "/v1/chat/completions"));
    talk.server(answer("<html>", "text/html"));
    talk.client("GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n");
    talk.server(answer('{"cars":[]}'));
    talk.client("GET /api/tags HTTP/1.1\r\nHost: a\r\n\r\n");
    talk.server(answer('{"tags":[]}'));
    talk.client(post("{}", "", "/v1/messages"));
    talk.server(answer("{}"));
    expect(messages(talk)).toEqual({});
  });

  it("speak as Anthropic does, with its header", () => {
    const talk = new Talk(8000);
    const version = "anthropic-version: 2023-06-01\r\nx-api-key: x\r\n";
    talk.client(post("{}", version, "/v1/messages?beta=true"));
    talk.server(answer("event: a\ndata: {}\n\n", "text/event-stream"));
    talk.client(`GET /v1/models HTTP/1.1\r\nHost: a\r\n${version}\r\n`);
    talk.server(answer("{}"));
    talk.client(post("{}", version, "/v1/messages/count_tokens"));
    talk.server(answer("{}"));
    expect(messages(talk)).toEqual({
      "anthropic_rest call": 1,
      "anthropic_rest stream": 1,
      "anthropic_rest list": 1,
      "anthropic_rest other": 1,
    });
  });

  it("are Ollama, by what it answers", () => {
    const talk = new Talk(11434);
    talk.client("GET /api/version HTTP/1.1\r\nHost: a\r\n\r\n");
    talk.server(answer('{"version":"0.9"}'));
    talk.client("GET /api/tags HTTP/1.1\r\nHost: a\r\n\r\n");
    talk.server(answer('{"models":[]}'));
    expect(talk.decoding.packet.facts.agents).toMatchObject({ open: 1 });
    talk.client(post("{}", "", "/api/chat"));
    talk.server(answer('{"model":"m"}\n{"done":true}\n', "application/x-ndjson"));
    talk.client("GET /api/version HTTP/1.1\r\nHost: a\r\n\r\n");
    talk.server(answer('{"version":"0.9"}'));
    expect(messages(talk)).toEqual({
      "ollama list": 1,
      "ollama call": 1,
      "ollama stream": 1,
      "ollama other": 1,
    });
  });

  it("talk over a WebSocket", () => {
    const talk = new Talk(8000);
    const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    talk.client(`GET /v1/realtime?model=m HTTP/1.1\r\nHost: a\r\n${upgrade}\r\n`);
    talk.server(`HTTP/1.1 101 Switching Protocols\r\n${upgrade}\r\n`);
    expect(messages(talk)).toEqual({ "openai_rest stream": 1 });
    talk.client("\x81\x05hello");
    expect(talk.application).toBe("websocket");
  });
});

describe("what a segment tells of agents", () => {
  it.each([
    ["metadata.google.internal", "", { metadata: 1, bareMetadata: 1 }],
    [
      "Metadata.Google.Internal:80",
      "Metadata-Flavor: Google\r\n",
      { metadata: 1, bareMetadata: 0 },
    ],
  ])("is that %s is asked, with %j", (host, header, expected) => {
    const talk = new Talk(80);
    talk.client(`GET /computeMetadata/v1/ HTTP/1.1\r\nHost: ${host}\r\n${header}\r\n`);
    expect(talk.decoding.packet.facts.agents).toMatchObject(expected);
  });

  it("is nothing of a name that only begins like Google's", () => {
    const talk = new Talk(80);
    const { number } = talk.client(
      "GET / HTTP/1.1\r\nHost: metadata.google.internal.example\r\n\r\n",
    );
    expect(talk.decoding.packet.facts.agents?.packet).not.toBe(number);
  });

  it("belongs to the response that it answers, in order, and to nobody after a gap", () => {
    const talk = new Talk(8000);
    const plain = "GET /index.html HTTP/1.1\r\nHost: a\r\n\r\n";
    talk.client(plain + post(call("initialize"), BOTH) + plain);
    talk.server(answer("", "text/html", "403 No"));
    talk.server(answer('{"jsonrpc":"2.0","result":{}}'));
    expect(talk.decoding.packet.facts.agents).toMatchObject({ open: 1, denied: 0 });
    talk.client(post(call("initialize"), BOTH));
    talk.lose("server", 400);
    const number = talk.server(answer("{}")).number;
    expect(talk.decoding.packet.facts.agents?.packet).not.toBe(number);
  });
});
