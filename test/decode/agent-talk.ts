// SPDX-License-Identifier: AGPL-3.0-or-later
// What agents and their servers say over HTTP/1.x, and what is counted of it.
import { AGENT_PROTOCOLS, MESSAGE_KINDS } from "../../src/decode/agents/kinds.ts";
import type { Talk } from "./talk.ts";

/** What a client of MCP accepts. */
export const BOTH = "Accept: application/json, text/event-stream\r\n";
/** A response that has nothing to say. */
export const ACCEPTED = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";

/** Messages counted so far, `protocol kind` by number. */
export function messages(talk: Talk): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const protocol of AGENT_PROTOCOLS) {
    for (const kind of MESSAGE_KINDS) {
      const count = talk.value("nam_agent_protocol_messages_total", { protocol, kind });
      if (count > 0) counts[`${protocol} ${kind}`] = count;
    }
  }
  return counts;
}

/** Requests so far whose header is not what their body says. */
export function mismatches(talk: Talk): number {
  return talk.value("nam_agent_header_mismatches_total");
}

/** A request with a JSON body. */
export function post(body: string, headers = "", path = "/mcp"): string {
  const length = Buffer.byteLength(body);
  return `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${headers}Content-Length: ${length}\r\n\r\n${body}`;
}

/** A response with that body. */
export function answer(body: string, type = "application/json", status = "200 OK"): string {
  return `HTTP/1.1 ${status}\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** A request of JSON-RPC. */
export function call(method: string, more = ""): string {
  return JSON.stringify({
    jsonrpc: "2.0",
    id: 1,
    method,
    ...(more === "" ? {} : { params: { more } }),
  });
}
