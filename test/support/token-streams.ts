// SPDX-License-Identifier: AGPL-3.0-or-later
// A language model's interface in the form of OpenAI's, over real TLS: token streams at a chosen cadence, and a client.
import type { IncomingMessage, ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Certificate } from "./certificates.ts";
import { randomOf } from "./detection-bench.ts";

/** One reply to be streamed. */
export interface Reply {
  readonly events: number;
  /** Mean time between events; each is half to one and a half of it. */
  readonly gapMs: number;
  /** Events that are written at once. */
  readonly batch: number;
  readonly seed: number;
}

const WORDS = [" the", " of", " a", " request", " token", ",", " is", " stream", "ing", " model"];
const OBFUSCATION = "abcdefghijklmno";

/** Serves `POST /v1/chat/completions`, whose body says which reply to stream. */
export class TokenServer {
  readonly #server: https.Server;

  private constructor({ cert, key }: Pick<Certificate, "cert" | "key">) {
    this.#server = https.createServer({ cert, key }, (request, response) => {
      answer(request, response).catch(() => response.destroy());
    });
  }

  static async start(
    certificate: Pick<Certificate, "cert" | "key">,
    { address = "127.0.0.1", port = 0 } = {},
  ): Promise<TokenServer> {
    const server = new TokenServer(certificate);
    await new Promise<void>((resolve) => server.#server.listen(port, address, resolve));
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== "POST") return void response.writeHead(405).end();
  let body = "";
  for await (const part of request.setEncoding("utf8")) body += part;
  const reply = (JSON.parse(body) as { metadata: Reply }).metadata;
  request.socket.setNoDelay(true);
  response.writeHead(200, { "content-type": "text/event-stream" });
  const random = randomOf(reply.seed);
  let dueMs = performance.now();
  let waiting = "";
  for (let at = 1; at <= reply.events; at++) {
    dueMs += reply.gapMs * (0.5 + random());
    waiting += eventText(random);
    if (at % reply.batch !== 0 && at < reply.events) continue;
    const aheadMs = dueMs - performance.now();
    if (aheadMs > 0) await sleep(aheadMs);
    response.write(waiting);
    waiting = "";
  }
  response.end("data: [DONE]\n\n");
}

/** An event as OpenAI's interface sends it, with what it adds to hide the length of the token. */
function eventText(random: () => number): string {
  const content = WORDS[Math.floor(random() * WORDS.length)];
  const chunk = {
    ...{ id: "chatcmpl-9kQ2mW0xYzAbCdEfGhIjKlMnOpQ", object: "chat.completion.chunk" },
    ...{ created: 1_785_000_000, model: "gpt-4o-mini-2024-07-18", service_tier: "default" },
    system_fingerprint: "fp_0123456789",
    choices: [{ index: 0, delta: { content }, logprobs: null, finish_reason: null }],
    obfuscation: OBFUSCATION.slice(0, Math.floor(16 * random())),
  };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

/** Where a reply is asked for, and how the server is believed. */
export interface Target {
  readonly port: number;
  readonly host?: string;
  readonly servername?: string;
  readonly ca?: string;
  readonly rejectUnauthorized?: boolean;
}

/** Asks for replies one after the other over one connection; returns when the last has come. */
export async function askFor(replies: readonly Reply[], target: Target): Promise<void> {
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
  try {
    for (const reply of replies) await ask(reply, { ...target, agent });
  } finally {
    agent.destroy();
  }
}

function ask(reply: Reply, target: Target & { readonly agent: https.Agent }): Promise<void> {
  const body = JSON.stringify({
    ...{ model: "gpt-4o-mini", stream: true, metadata: reply },
    messages: [{ role: "user", content: "Tell me about the shape of token streams, please." }],
  });
  return new Promise((resolve, reject) => {
    const request = https.request(
      {
        ...{ host: "127.0.0.1", servername: "localhost", method: "POST" },
        ...{ path: "/v1/chat/completions", headers: { "content-type": "application/json" } },
        ...target,
      },
      (response) => response.resume().on("end", resolve).on("error", reject),
    );
    request.on("error", reject);
    request.end(body);
  });
}
