// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { ACCEPTED, answer, BOTH, call, messages, mismatches, post } from "./agent-talk.ts";
import { Talk } from "./talk.ts";

describe("MCP of 2025", () => {
  it("is known by a method of its own and Accept of both types", () => {
    const talk = new Talk(8000);
    talk.client(post(call("initialize"), BOTH));
    talk.server(answer('{"jsonrpc":"2.0","id":1,"result":{}}'));
    expect(messages(talk)).toEqual({ "mcp_stream initialize": 1 });
    expect(talk.decoding.packet.facts.agents).toMatchObject({ open: 1, granted: 0 });
  });

  it("is known by its version header, whatever Accept says", () => {
    const talk = new Talk(8000);
    const version = "MCP-Protocol-Version: 2025-06-18\r\n";
    talk.client(post(call("tools/list"), version));
    talk.server(answer('{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}'));
    talk.client(post(call("of/somebody"), version));
    expect(messages(talk)).toEqual({
      "mcp_stream list": 1,
      "mcp_stream error": 1,
      "mcp_stream other": 1,
    });
  });

  it.each([
    ["a language server", call("initialize"), ""],
    ["Ethereum", call("eth_call"), BOTH],
    ["a miner", '{"jsonrpc":"2.0","method":"mining.submit","params":["a"],"id":4}', BOTH],
    ["another version of JSON-RPC", call("initialize").replace("2.0", "1.0"), BOTH],
    ["an object with more members", call("initialize").replace("{", '{"more":1,'), BOTH],
    ["a method within params", '{"id":1,"params":{"method":"initialize"},"jsonrpc":"2.0"}', BOTH],
    ["a method within a string", '{"id":"\\"method\\":\\"initialize\\"","jsonrpc":"2.0"}', BOTH],
    ["a method that is no string", '{"method":{"a":"initialize"},"jsonrpc":"2.0"}', BOTH],
  ])("is not %s", (_, body, headers) => {
    const talk = new Talk(8000);
    talk.client(post(body, headers));
    talk.server(answer('{"jsonrpc":"2.0","id":1,"error":{}}'));
    expect(messages(talk)).toEqual({});
  });

  it.each([
    ["escapes", '{"method":"\\u0074ools\\/list","jsonrpc":"2\\u002e0","id":1}'],
    ["white space", '\r\n\t{ "method" :\n "tools/list" ,\r\n"jsonrpc":"2.0" , "id" : null }\n'],
    [
      "members in any order",
      `{"params":{"a":[{"b":"]}"}]},"id":1.5e3,"method":"tools/list","jsonrpc":"2.0"}`,
    ],
    [
      "a long string before it",
      `{"params":{"a":"${'\\\\x\\"'.repeat(4000)}"},"method":"tools/list","jsonrpc":"2.0"}`,
    ],
  ])("is known with %s, in one segment and in many", (_, body) => {
    const whole = new Talk(8000);
    whole.client(post(body, BOTH));
    expect(messages(whole)).toEqual({ "mcp_stream list": 1 });
    const pieces = new Talk(8000);
    const text = post(body, BOTH);
    pieces.client(text.slice(0, 20));
    for (let at = 20; at < text.length; at += 7) pieces.client(text.slice(at, at + 7));
    expect(messages(pieces)).toEqual({ "mcp_stream list": 1 });
  });

  it("is read in chunks, in batches, and once", () => {
    const talk = new Talk(8000);
    const body = `[${call("tools/list")}, ${call("notifications/initialized")},${call("tools/call", "x")}]`;
    const half = body.length >> 1;
    const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
    const head = post("", BOTH).replace("Content-Length: 0", "Transfer-Encoding: chunked");
    const first = head + chunk(body.slice(0, half));
    talk.client(first);
    talk.again("client", first, first.length);
    talk.client(`${chunk(body.slice(half))}0\r\n\r\n`);
    const expected = { "mcp_stream list": 1, "mcp_stream notify": 1, "mcp_stream call": 1 };
    expect(messages(talk)).toEqual(expected);
    talk.client(post(call("tools/call"), BOTH));
    expect(messages(talk)).toEqual({ ...expected, "mcp_stream call": 2 });
  });

  it("is given up within a body with a gap, and read again behind it", () => {
    const talk = new Talk(8000);
    const text = post(
      `{"params":"${"x".repeat(500)}","method":"tools/list","jsonrpc":"2.0"}`,
      BOTH,
    );
    talk.client(text.slice(0, 300));
    talk.lose("client", 100);
    talk.client(text.slice(400));
    expect(messages(talk)).toEqual({});
    talk.client(post(call("tools/list"), BOTH));
    expect(messages(talk)).toEqual({ "mcp_stream list": 1 });
  });

  it("is read no further than a window", () => {
    const talk = new Talk(8000);
    const far = `{"params":"${"x".repeat(70_000)}","method":"tools/list","jsonrpc":"2.0"}`;
    const text = post(far, BOTH);
    for (let at = 0; at < text.length; at += 1400) talk.client(text.slice(at, at + 1400));
    expect(messages(talk)).toEqual({});
  });

  it("has streams whose events hold messages and errors", () => {
    const talk = new Talk(8000);
    const version = "Mcp-Session-Id: 1\r\n";
    talk.client(`GET /mcp HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n${version}\r\n`);
    talk.server(
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    const events = `: hello\n\nevent: message\ndata: ${call("notifications/progress")}\n\ndata:${call("ping")}\r\n\r\nevent: message\ndata: {"jsonrpc":"2.0",\ndata: "id":3,"error":{"code":-32601}}\n\n`;
    for (let at = 0; at < events.length; at += 11) {
      const piece = events.slice(at, at + 11);
      talk.server(`${piece.length.toString(16)}\r\n${piece}\r\n`);
    }
    expect(messages(talk)).toEqual({
      "mcp_stream stream": 1,
      "mcp_stream notify": 1,
      "mcp_stream other": 1,
      "mcp_stream error": 1,
    });
  });
});

describe("MCP of 2024-11-05", () => {
  const stream = "HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
  const get = "GET /sse HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n";

  it.each(["/messages/?session_id=5", "http://a:8000/messages/?session_id=5"])(
    "is known by the endpoint %s that its stream names first",
    (endpoint) => {
      const talk = new Talk(8000);
      talk.client(get);
      talk.server(`${stream}event: endpoint\r\ndata: ${endpoint}\r\n\r\n`);
      expect(messages(talk)).toEqual({});
      const other = talk.connect();
      other.client(post(call("initialize"), "", "/messages/?session_id=5"));
      other.server(ACCEPTED);
      talk.server(
        `event: message\r\ndata: {"id":1,"jsonrpc":"2.0","error":{"code":-32602}}\r\n\r\n`,
      );
      expect(messages(talk)).toEqual({
        "mcp_legacy stream": 1,
        "mcp_legacy initialize": 1,
        "mcp_legacy error": 1,
      });
    },
  );

  it("is neither any stream of events nor a post to another path", () => {
    const talk = new Talk(8000);
    talk.client(get);
    talk.server(`${stream}data: /messages\n\nevent: endpoint\ndata: /messages\n\n`);
    const other = talk.connect();
    other.client(post(call("initialize"), "", "/messages"));
    const third = talk.connect();
    third.client(get);
    third.server(`${stream}event: endpoint\ndata: /elsewhere\n\n`);
    other.client(post(call("initialize"), "", "/messages"));
    expect(messages(talk)).toEqual({});
  });
});

describe("MCP of 2026-07-28", () => {
  const headers = (method: string, name?: string): string =>
    `MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: ${method}\r\n${name === undefined ? "" : `Mcp-Name: ${name}\r\n`}${BOTH}`;
  const request = (method: string, params: object): string =>
    JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });

  it("is counted by its headers", () => {
    const talk = new Talk(8000);
    talk.client(post(request("server/discover", {}), headers("server/discover")));
    talk.server(answer('{"jsonrpc":"2.0","id":1,"result":{}}'));
    talk.client(post(request("tools/call", { name: "x" }), headers("tools/call", "x")));
    talk.server(
      answer('{"jsonrpc":"2.0","id":1,"error":{"code":-32020}}', "application/json", "400 Bad"),
    );
    talk.client(post(request("subscriptions/listen", {}), headers("subscriptions/listen")));
    expect(messages(talk)).toEqual({
      "mcp_2026 discover": 1,
      "mcp_2026 call": 1,
      "mcp_2026 error": 1,
      "mcp_2026 stream": 1,
    });
    expect(mismatches(talk)).toBe(0);
  });

  it.each([
    ["tools/call", { name: "a b", uri: "c" }, "a b", 0],
    [
      "tools/call",
      { _meta: { name: "z" }, name: "größe 😀" },
      `=?base64?${Buffer.from("größe 😀").toString("base64")}?=`,
      0,
    ],
    ["resources/read", { uri: "file:///a", name: "b" }, "file:///a", 0],
    ["tools/call", { name: "delete" }, "read", 1],
    ["resources/read", { uri: "file:///a" }, "file:///b", 1],
    ["tools/call", { name: "a" }, "=?base64?Yg==?=", 1],
    ["tools/call", { arguments: { name: "x" } }, "read", 0],
  ])("compares the name header of %s %j with %s", (method, params, name, expected) => {
    const talk = new Talk(8000);
    talk.client(Buffer.from(post(request(method, params), headers(method, name)), "utf8"));
    expect(mismatches(talk)).toBe(expected);
  });

  it("compares the method header with the body", () => {
    const talk = new Talk(8000);
    talk.client(post(request("tools/call", { name: "x" }), headers("tools/list")));
    expect(mismatches(talk)).toBe(1);
    expect(messages(talk)).toEqual({ "mcp_2026 list": 1 });
  });
});

describe("A2A", () => {
  it("is known by its own methods before 1.0, and by what its server has shown", () => {
    const talk = new Talk(9999);
    const stranger = talk.connect();
    stranger.client(post(call("tasks/get"), "", "/"));
    expect(messages(talk)).toEqual({});
    talk.client("GET /.well-known/agent.json HTTP/1.1\r\nHost: a\r\n\r\n");
    talk.server(answer("{}"));
    const other = talk.connect();
    other.client(post(call("message/send"), "", "/"));
    other.client(post(call("message/stream"), "", "/"));
    const third = talk.connect();
    third.client(post(call("tasks/get"), "", "/"));
    third.client(post(call("SendMessage"), "", "/"));
    expect(messages(talk)).toEqual({
      "a2a discover": 1,
      "a2a call": 2,
      "a2a stream": 1,
      "a2a other": 1,
    });
  });

  it("is known by its version header from 1.0 on, over JSON-RPC and REST", () => {
    const talk = new Talk(9999);
    const version = "A2A-Version: 1.0\r\n";
    talk.client(post(call("SendMessage"), version, "/rpc"));
    talk.server(answer('{"jsonrpc":"2.0","id":1,"error":{"code":-32001}}'));
    talk.client(post('{"message":{}}', version, "/v1/message:send"));
    talk.server(answer("{}", "application/a2a+json"));
    talk.client(`GET /v1/tasks/1 HTTP/1.1\r\nHost: a\r\n${version}\r\n`);
    talk.server(answer("{}"));
    expect(messages(talk)).toEqual({ "a2a call": 2, "a2a error": 1, "a2a other": 1 });
  });
});

describe("ACP", () => {
  it("needs two of its parts, and is counted from the second on", () => {
    const talk = new Talk(8000);
    talk.client("GET /agents HTTP/1.1\r\nHost: a\r\n\r\n");
    talk.server(answer("[]"));
    talk.client("GET /agents/echo HTTP/1.1\r\nHost: a\r\n\r\n");
    talk.server(answer("{}"));
    expect(messages(talk)).toEqual({});
    talk.client(post("{}", "", "/runs"));
    talk.server(answer("{}"));
    talk.client("GET /runs/0/events HTTP/1.1\r\nHost: a\r\n\r\n");
    talk.server(answer("{}"));
    expect(messages(talk)).toEqual({ "acp call": 1, "acp other": 1 });
  });

  it("is not what answers no JSON, or errors", () => {
    const talk = new Talk(8000);
    talk.client("GET /ping HTTP/1.1\r\nHost: a\r\n\r\nGET /agents HTTP/1.1\r\nHost: a\r\n\r\n");
    talk.server(answer("pong", "text/plain") + answer("{}", "application/json", "403 No"));
    talk.client("GET /agents HTTP/1.1\r\nHost: a\r\n\r\n");
    talk.server(answer("{}"));
    expect(messages(talk)).toEqual({});
  });
});
