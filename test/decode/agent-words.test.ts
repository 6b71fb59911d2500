// SPDX-License-Identifier: AGPL-3.0-or-later
// Paths and names of methods by which agents and language models are known.
import { describe, expect, it } from "vitest";
import { AGENT_PROTOCOLS, Kind, MESSAGE_KINDS } from "../../src/decode/agents/kinds.ts";
import { kindOf, methodOf, ownersOf, Whose } from "../../src/decode/agents/methods.ts";
import { AGENT_PATHS, acpRoot, pathAt } from "../../src/decode/agents/paths.ts";
import { textHash } from "../../src/decode/agents/text-hash.ts";

const BEFORE = "POST ";

/** What a request line's target is taken for. */
function pathOf(target: string, after = " HTTP/1.1\r\n"): string {
  const line = Buffer.from(`${BEFORE}${target}${after}`, "latin1");
  const memory = Uint8Array.from(line);
  const found = pathAt(new DataView(memory.buffer), BEFORE.length, memory.length);
  const path = AGENT_PATHS[found - 1];
  return path === undefined ? "none" : `${AGENT_PROTOCOLS[path.protocol]} ${path.text}`;
}

describe("a path", () => {
  it.each(AGENT_PATHS.map(({ text, protocol }) => [text, AGENT_PROTOCOLS[protocol]]))(
    "%s is %s, with a query and in a URL too",
    (text, protocol) => {
      const whole = text.endsWith("/") ? `${text}abc` : text;
      expect(pathOf(whole)).toBe(`${protocol} ${text}`);
      expect(pathOf(`${whole}?key=secret`)).toBe(`${protocol} ${text}`);
      if (protocol === "acp") return;
      expect(pathOf(`http://models.example:8000${whole}`)).toBe(`${protocol} ${text}`);
      expect(pathOf(`http://models.example:8000${whole}?key=secret`)).toBe(`${protocol} ${text}`);
    },
  );

  it.each([
    ...["", "/", "*", "/v1", "/v1/", "/api/", "/runs/", "/agents/", "/v1/modelsx", "/xv1/models/y"],
    ...[
      "/api/tags/x",
      "/v1/models?",
      "/download?next=/v1/models",
      "/x/agents",
      "/x/runs",
      "/x/ping",
    ],
    ...["/agents//x", "/api/versions", "https", "http://", "http://a"],
  ])("%s is only what it is", (target) => {
    expect(pathOf(target)).toBe(target === "/v1/models?" ? "openai_rest /v1/models" : "none");
  });

  it.each([" HTTP/1.1", " HTTP/1.1\n", " HTTP/1.0\r\n"])("may end the line by %j", (after) => {
    expect(pathOf("/v1/models", after)).toBe("openai_rest /v1/models");
  });

  it.each(["", " HTTP/1.", " FTPX/1.1\r\n", "\r\n"])(
    "is none in a line that ends in %j",
    (after) => {
      expect(pathOf("/v1/models", after)).toBe("none");
    },
  );

  it("of ACP has one of four bits", () => {
    const bits = AGENT_PATHS.map((_, at) => acpRoot(at + 1));
    expect(new Set(bits)).toEqual(new Set([0, 1, 2, 4, 8]));
    for (const [at, { protocol }] of AGENT_PATHS.entries()) {
      expect((bits[at] ?? 0) > 0).toBe(AGENT_PROTOCOLS[protocol] === "acp");
    }
  });
});

describe("a method", () => {
  it.each<[string, number, number]>([
    ["initialize", Whose.MCP, Kind.INITIALIZE],
    ["server/discover", Whose.MCP | Whose.MCP_2026, Kind.DISCOVER],
    ["subscriptions/listen", Whose.MCP | Whose.MCP_2026, Kind.STREAM],
    ["tools/list", Whose.MCP, Kind.LIST],
    ["tools/call", Whose.MCP, Kind.CALL],
    ["notifications/initialized", Whose.MCP, Kind.NOTIFY],
    ["message/send", Whose.A2A, Kind.CALL],
    ["message/stream", Whose.A2A, Kind.STREAM],
    ["tasks/get", Whose.MCP | Whose.MAYBE_A2A, Kind.OTHER],
    ["SendMessage", Whose.MAYBE_A2A, Kind.CALL],
    ["SendStreamingMessage", Whose.A2A, Kind.STREAM],
    ["SubscribeToTask", Whose.MAYBE_A2A, Kind.STREAM],
  ])("%s is known with its owners and kind", (name, owners, kind) => {
    const method = methodOf(textHash(name));
    expect(method).toBeGreaterThanOrEqual(0);
    expect([ownersOf(method), MESSAGE_KINDS[kindOf(method)]]).toEqual([
      owners,
      MESSAGE_KINDS[kind],
    ]);
  });

  it.each([
    ...["", "Initialize", "initialize ", "tools/calls", "textDocument/didOpen", "eth_call"],
    ...["mining.submit", "shutdown", "rpc.discover"],
  ])("%j, of somebody else's JSON-RPC, is nobody's", (name) => {
    const method = methodOf(textHash(name));
    expect([method, ownersOf(method), kindOf(method)]).toEqual([-1, 0, Kind.OTHER]);
  });
});
