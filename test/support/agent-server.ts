// SPDX-License-Identifier: AGPL-3.0-or-later
// A real HTTP server that speaks every protocol of agents and language models as far as their wire form goes.
import { createHash } from "node:crypto";
import http from "node:http";
import type net from "node:net";

/** Secrets that the server says or that are said to it; each protocol's own. */
export interface Secrets {
  readonly session: string;
  readonly answer: string;
  readonly model: string;
}

interface Message {
  readonly id?: unknown;
  readonly method?: string;
}

const WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** A server on a free port; `close` ends its streams too. */
export async function startAgentServer(
  secrets: Secrets,
): Promise<{ port: number; close(): Promise<void> }> {
  const streams = new Map<string, http.ServerResponse>();
  const server = http.createServer((request, response) => {
    response.setHeader("set-cookie", `sid=${secrets.session}; Path=/${secrets.model}`);
    response.setHeader("x-request-id", secrets.answer);
    let body = "";
    request.setEncoding("utf8").on("data", (text) => {
      body += text;
    });
    request.on("end", () => answer(request, response, body, streams, secrets));
  });
  server.on("upgrade", (request, socket: net.Socket) => {
    const key = `${request.headers["sec-websocket-key"]}${WEBSOCKET_GUID}`;
    const accept = createHash("sha1").update(key).digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    const text = Buffer.from(secrets.answer);
    socket.write(Buffer.concat([Buffer.from([0x81, text.length]), text]));
    socket.on("data", () => socket.end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function answer(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  body: string,
  streams: Map<string, http.ServerResponse>,
  secrets: Secrets,
): void {
  const { pathname } = new URL(request.url ?? "/", "http://a");
  const text = { text: secrets.answer };
  if (pathname === "/mcp") mcp(request, response, body, secrets);
  else if (pathname === "/sse" || pathname === "/messages") {
    legacy(request, response, body, streams, secrets);
  } else if (STREAMS.includes(pathname)) stream(response, pathname, secrets);
  else if (pathname === "/v1/messages") {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(`event: message_start\ndata: ${JSON.stringify(text)}\n\n`);
  } else {
    const status = pathname === "/v1/embeddings" ? 401 : 200;
    const content = contentOf(pathname, body, secrets) ?? text;
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(content));
  }
}

const STREAMS = ["/v1/chat/completions", "/api/chat"];

function contentOf(path: string, body: string, secrets: Secrets): object | null {
  if (path === "/rpc") return replyTo(JSON.parse(body) as Message, secrets);
  if (path === "/v1/models") return { object: "list", data: [{ id: secrets.model }] };
  if (path === "/api/tags") return { models: [{ name: secrets.model }] };
  return path === "/v1/embeddings" ? { error: { message: secrets.answer } } : null;
}

/** MCP of 2024-11-05: one stream of events, and posts to the endpoint that it names. */
function legacy(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  body: string,
  streams: Map<string, http.ServerResponse>,
  secrets: Secrets,
): void {
  if (request.method === "GET") {
    streams.set(secrets.session, response);
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`event: endpoint\ndata: /messages?sessionId=${secrets.session}\n\n`);
    return;
  }
  const reply = replyTo(JSON.parse(body) as Message, secrets);
  const events = streams.get(secrets.session);
  if (reply) events?.write(`event: message\ndata: ${JSON.stringify(reply)}\n\n`);
  response.writeHead(202).end("Accepted");
}

function mcp(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  body: string,
  secrets: Secrets,
): void {
  const session = { "mcp-session-id": secrets.session };
  if (request.method === "GET") {
    response.writeHead(200, { "content-type": "text/event-stream", ...session });
    const note = {
      jsonrpc: "2.0",
      method: "notifications/message",
      params: { data: secrets.answer },
    };
    response.end(`event: message\ndata: ${JSON.stringify(note)}\n\n`);
    return;
  }
  const reply = body === "" ? null : replyTo(JSON.parse(body) as Message, secrets);
  if (reply === null) {
    response.writeHead(202).end();
  } else if (request.headers["mcp-method"] === undefined) {
    response.writeHead(200, { "content-type": "text/event-stream", ...session });
    response.end(`event: message\ndata: ${JSON.stringify(reply)}\n\n`);
  } else {
    const status = "error" in reply ? 400 : 200;
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(reply));
  }
}

/** A result; an error for a method that is unknown, as its name says; nothing for a note. */
function replyTo({ id, method }: Message, { answer: text }: Secrets): object | null {
  if (id === undefined) return null;
  if (method?.startsWith("unknown")) {
    return { jsonrpc: "2.0", id, error: { code: -32601, message: text } };
  }
  return { result: { content: [{ type: "text", text }] }, jsonrpc: "2.0", id };
}

function stream(
  response: http.ServerResponse,
  path: string,
  { answer: text, model }: Secrets,
): void {
  const isOllama = path.startsWith("/api");
  const type = isOllama ? "application/x-ndjson" : "text/event-stream";
  response.writeHead(200, { "content-type": type });
  for (let at = 0; at < 20; at++) {
    const event = JSON.stringify({ model, at, message: { content: text } });
    response.write(isOllama ? `${event}\n` : `data: ${event}\n\n`);
  }
  response.end();
}
