// SPDX-License-Identifier: AGPL-3.0-or-later
// The only file that sends anything over HTTP.
import http from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import type { Response } from "node-fetch";
import { CONNECT_TIMEOUT, type Failure, failureOf } from "./failure.ts";
import { guardedLookup, type Target } from "./target.ts";

const CONNECT_MAX_MS = 10_000;
/** More of an answer than this is not read. */
const BODY_MAX_BYTES = 65_536;

/** What came of one request. `detail` holds neither URL nor secret. */
export type HttpResult =
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly body: string;
      header(name: string): string | null;
    }
  | Failure;

/**
 * Posts JSON once. Follows no redirect, uses no proxy, connects only to addresses the target's policy allows, and ends
 * within the target's time limit. Never rejects.
 */
export function postJson(target: Target, body: unknown, signal: AbortSignal): Promise<HttpResult> {
  return post(target, JSON.stringify(body), signal);
}

/** `postJson` for JSON that is text already, as something that is signed has to be. `headers` come on top. */
export async function post(
  target: Target,
  body: string,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>> = {},
): Promise<HttpResult> {
  const limit = AbortSignal.timeout(target.timeoutMs);
  const either = AbortSignal.any([signal, limit]);
  let response: Response;
  try {
    const url = new URL(target.url.reveal());
    const { default: fetch } = await import("node-fetch");
    // What has ended before it began would end the process: node-fetch breaks off a body that nobody listens to.
    either.throwIfAborted();
    response = await fetch(url, {
      method: "POST",
      body,
      headers: {
        "Content-Type": "application/json",
        "User-Agent": "network-anomaly-monitor",
        ...(target.authorization ? { Authorization: target.authorization.reveal() } : {}),
        ...headers,
      },
      redirect: "manual",
      compress: false,
      agent: agentFor(url, target),
      signal: either,
    });
  } catch (error) {
    const { label, timeoutMs } = target;
    return failureOf(error, {
      label,
      timeoutMs,
      isStopped: signal.aborted,
      isLate: limit.aborted,
    });
  }
  const { status } = response;
  return {
    kind: "answer",
    status,
    body: await readBody(response),
    header: (name) => response.headers.get(name),
  };
}

/** A connection of its own for each message: they are rare, and a kept one would be stale. */
function agentFor(url: URL, target: Target): http.Agent {
  const isTls = url.protocol === "https:";
  const options = { keepAlive: false, lookup: guardedLookup(target.policy) };
  const agent = isTls ? new https.Agent(options) : new http.Agent(options);
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (connectOptions, callback) => {
    const socket = connect(connectOptions, callback);
    limitConnect(socket as Socket, isTls ? "secureConnect" : "connect", target.timeoutMs);
    return socket;
  };
  return agent;
}

function limitConnect(socket: Socket, connected: string, timeoutMs: number): void {
  const timer = setTimeout(
    () => socket.destroy(Object.assign(new Error("connect timeout"), { code: CONNECT_TIMEOUT })),
    Math.min(CONNECT_MAX_MS, timeoutMs),
  );
  const clear = (): void => clearTimeout(timer);
  socket.once(connected, clear).once("close", clear);
}

/** The beginning of an answer. The status has decided already: a body that breaks off or never ends changes nothing. */
async function readBody(response: Response): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      const bytes = Buffer.from(chunk);
      chunks.push(bytes);
      sizeBytes += bytes.length;
      if (sizeBytes >= BODY_MAX_BYTES) break;
    }
  } catch {
    // Cut off by the sender or by the time limit.
  }
  return Buffer.concat(chunks).subarray(0, BODY_MAX_BYTES).toString("utf8");
}
