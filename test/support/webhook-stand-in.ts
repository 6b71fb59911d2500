// SPDX-License-Identifier: AGPL-3.0-or-later
// A local stand-in for the HTTP servers of all vendors. It checks every message against the vendors' documents
// and answers as they do, or as it was told to. Also a process of its own:
//   node --import tsx test/support/webhook-stand-in.ts --port 9199 [--host ADDRESS]
// which prints one line of JSON once it listens; GET /-/received lists the messages, DELETE forgets them, and
// POST /-/script takes a list of behaviours for the next requests.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  discordHazards,
  discordViolations,
  slackHazards,
  slackViolations,
} from "./vendor-checks.ts";
import { vendorSchemas } from "./vendor-schemas.ts";

/** `slack`, `discord`, or a name of `vendorSchemas`. */
export type VendorName = string;

/** What the server does with one request instead of judging it. */
export type Behaviour =
  | {
      readonly kind: "status";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  | { readonly kind: "accept"; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: "hang" }
  | { readonly kind: "reset" }
  /** Headers at once, then a byte of the body now and then, without end. */
  | { readonly kind: "slow-loris"; readonly status: number }
  | { readonly kind: "huge-body"; readonly status: number; readonly sizeBytes: number };

export interface Received {
  readonly vendor: VendorName;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
  /** The body as it came. */
  readonly text: string;
  /** Why the vendor refuses it. */
  readonly violations: readonly string[];
  /** What a message of this project must not hold although the vendor takes it: live mentions, control characters … */
  readonly hazards: readonly string[];
  /** Null where no answer was given. */
  readonly status: number | null;
}

const PATHS = {
  slack: /^\/services\/\w+\/\w+\/\w+$/,
  discord: /^\/api(?:\/v\d+)?\/webhooks\/\d+\/[\w-]+$/,
};
const DRIP_MS = 20;
const CHUNK_BYTES = 65_536;

export class WebhookStandIn {
  readonly received: Received[] = [];
  readonly #server: Server;
  readonly #script: Behaviour[] = [];
  #waiters: { readonly count: number; readonly resolve: () => void }[] = [];

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => request.socket.destroy());
    });
  }

  static async start(port = 0, host = "127.0.0.1"): Promise<WebhookStandIn> {
    const standIn = new WebhookStandIn();
    await new Promise<void>((resolve, reject) => {
      standIn.#server.once("error", reject).listen(port, host, resolve);
    });
    return standIn;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** A webhook URL of the vendor on this server. `token` is its secret part. */
  url(vendor: VendorName, token: string, host = "127.0.0.1"): string {
    const path = vendor === "slack" ? `/services/T0/B0/${token}` : `/api/webhooks/42/${token}`;
    return `http://${host}:${this.port}${path}`;
  }

  /** What to do with the next requests, one each; after them, messages are judged again. */
  script(...behaviours: readonly Behaviour[]): void {
    this.#script.push(...behaviours);
  }

  /** Resolves as soon as `count` messages have arrived in all. */
  async arrival(count: number): Promise<void> {
    if (this.received.length >= count) return;
    await new Promise<void>((resolve) => this.#waiters.push({ count, resolve }));
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://stand-in");
    const atMs = Date.now();
    const text = await readAll(request);
    if (url.pathname.startsWith("/-/")) return this.#control(request, url.pathname, text, response);
    const vendor = vendorOf(url.pathname);
    const body = parse(text);
    const violations = violationsOf(vendor, request, body, Buffer.byteLength(text));
    const behaviour = this.#script.shift() ?? { kind: "accept" };
    const answer =
      behaviour.kind === "accept" ? judge(vendor, url, violations, behaviour.headers) : behaviour;
    const status = "status" in answer ? answer.status : null;
    this.received.push({
      vendor,
      atMs,
      path: url.pathname + url.search,
      headers: request.headers,
      body,
      text,
      violations,
      hazards: hazardsOf(vendor, body),
      status,
    });
    act(answer, request, response);
    this.#notify();
  }

  #notify(): void {
    const ready = this.#waiters.filter(({ count }) => this.received.length >= count);
    this.#waiters = this.#waiters.filter((waiter) => !ready.includes(waiter));
    for (const { resolve } of ready) resolve();
  }

  #control(request: IncomingMessage, path: string, text: string, response: ServerResponse): void {
    if (path === "/-/script" && request.method === "POST") {
      this.script(...(JSON.parse(text) as Behaviour[]));
    } else if (request.method === "DELETE") {
      this.received.length = 0;
    }
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end(JSON.stringify(this.received));
  }
}

/** A path of no vendor is taken for a wrong one of Slack's, as a URL with a typing error would be. */
function vendorOf(path: string): VendorName {
  const known = Object.entries(vendorSchemas).find(([, check]) => check.path.test(path));
  return known?.[0] ?? (path.startsWith("/api/") ? "discord" : "slack");
}

function violationsOf(
  vendor: VendorName,
  request: IncomingMessage,
  body: unknown,
  bytes: number,
): string[] {
  const problems = body === undefined ? ["the body is not JSON"] : [];
  if (request.method !== "POST") problems.push(`method ${request.method}`);
  if (!/^application\/json\b/.test(request.headers["content-type"] ?? "")) {
    problems.push(`content type ${request.headers["content-type"]}`);
  }
  if (body === undefined) return problems;
  const check = vendorSchemas[vendor];
  if (check) return [...problems, ...check.violations(body, bytes)];
  return [...problems, ...(vendor === "slack" ? slackViolations(body) : discordViolations(body))];
}

function hazardsOf(vendor: VendorName, body: unknown): string[] {
  if (body === undefined) return [];
  const check = vendorSchemas[vendor];
  if (check) return check.hazards(body);
  return vendor === "slack" ? slackHazards(body) : discordHazards(body);
}

/** The answer the vendor itself would give. */
function judge(
  vendor: VendorName,
  url: URL,
  violations: readonly string[],
  headers: Readonly<Record<string, string>> = {},
): Behaviour {
  const check = vendorSchemas[vendor];
  if (check) {
    if (violations.length > 0) return { kind: "status", status: 400, body: "" };
    return { kind: "status", ...check.accepted, headers };
  }
  const isKnown = PATHS[vendor === "slack" ? "slack" : "discord"].test(url.pathname);
  if (vendor === "slack") {
    if (!isKnown) return { kind: "status", status: 404, body: "no_service" };
    if (violations.length > 0) return { kind: "status", status: 400, body: "invalid_blocks" };
    return {
      kind: "status",
      status: 200,
      body: "ok",
      headers: { "Content-Type": "text/html", ...headers },
    };
  }
  const json = { "Content-Type": "application/json", ...headers };
  if (!isKnown)
    return { kind: "status", status: 404, headers: json, body: problem("Unknown Webhook", 10_015) };
  if (violations.length > 0) {
    return {
      kind: "status",
      status: 400,
      headers: json,
      body: problem("Invalid Form Body", 50_035),
    };
  }
  if (url.searchParams.get("wait") !== "true") return { kind: "status", status: 204, headers };
  const stored = { id: "1300000000000000000", type: 0, channel_id: "1", webhook_id: "42" };
  return { kind: "status", status: 200, headers: json, body: JSON.stringify(stored) };
}

function problem(message: string, code: number): string {
  return JSON.stringify({ message, code });
}

function act(behaviour: Behaviour, request: IncomingMessage, response: ServerResponse): void {
  switch (behaviour.kind) {
    case "accept":
    case "hang":
      return;
    case "reset":
      request.socket.resetAndDestroy();
      return;
    case "slow-loris": {
      response.writeHead(behaviour.status);
      const drip = setInterval(() => response.write("."), DRIP_MS);
      response.once("close", () => clearInterval(drip));
      return;
    }
    case "huge-body":
      response.writeHead(behaviour.status);
      Readable.from(chunks(behaviour.sizeBytes)).pipe(response);
      return;
    case "status":
      response.writeHead(behaviour.status, behaviour.headers);
      response.end(behaviour.body);
  }
}

function* chunks(sizeBytes: number): Generator<Buffer> {
  const chunk = Buffer.alloc(CHUNK_BYTES, "x");
  for (let sent = 0; sent < sizeBytes; sent += CHUNK_BYTES) yield chunk;
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "0" },
      host: { type: "string", default: "127.0.0.1" },
    },
  });
  const standIn = await WebhookStandIn.start(Number(values.port), values.host);
  process.stdout.write(`${JSON.stringify({ host: values.host, port: standIn.port })}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
