// SPDX-License-Identifier: AGPL-3.0-or-later
// The only file that sends anything over HTTP.
import http from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import fetch, { type Response } from "node-fetch";
import { guardedLookup, REFUSED_ADDRESS, type Target } from "./target.ts";

const CONNECT_MAX_MS = 10_000;
/** More of an answer than this is not read. */
const BODY_MAX_BYTES = 65_536;
const CONNECT_TIMEOUT = "NAM_CONNECT_TIMEOUT";

/** What came of one request. `detail` holds neither URL nor secret. */
export type HttpResult =
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly body: string;
      header(name: string): string | null;
    }
  | {
      readonly kind: "failure";
      readonly reason: "network" | "timeout";
      readonly detail: string;
    };

/**
 * Posts JSON once. Follows no redirect, uses no proxy, connects only to addresses the target's policy allows, and ends
 * within the target's time limit. Never rejects.
 */
export async function postJson(
  target: Target,
  body: unknown,
  signal: AbortSignal,
): Promise<HttpResult> {
  const limit = AbortSignal.timeout(target.timeoutMs);
  let response: Response;
  try {
    const url = new URL(target.url.reveal());
    response = await fetch(url, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", "User-Agent": "network-anomaly-monitor" },
      redirect: "manual",
      compress: false,
      agent: agentFor(url, target),
      signal: AbortSignal.any([signal, limit]),
    });
  } catch (error) {
    return failure(target, codeOf(error), signal.aborted, limit.aborted);
  }
  const { status, headers } = response;
  return {
    kind: "answer",
    status,
    body: await readBody(response),
    header: (name) => headers.get(name),
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

function failure(
  target: Target,
  code: string | undefined,
  isStopped: boolean,
  isLate: boolean,
): HttpResult {
  const { label, timeoutMs } = target;
  if (isStopped) return { kind: "failure", reason: "network", detail: "stopped before an answer" };
  if (isLate || code === CONNECT_TIMEOUT || code === "ETIMEDOUT") {
    return {
      kind: "failure",
      reason: "timeout",
      detail: `${label} gave no answer in ${timeoutMs / 1_000} s`,
    };
  }
  return { kind: "failure", reason: "network", detail: `${label}: ${explain(code)}` };
}

function explain(code: string | undefined): string {
  switch (code) {
    case "ECONNREFUSED":
      return "the connection was refused";
    case "ECONNRESET":
    case "EPIPE":
    case "ERR_STREAM_PREMATURE_CLOSE":
      return "the connection broke off";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "the host name could not be resolved";
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return "there is no route to it";
    case REFUSED_ADDRESS:
      return "its name resolves to an address that is not public; allow_private: true permits that";
    default:
      return `the request failed${code === undefined ? "" : ` (${code})`}`;
  }
}

/** The error's code, from it or from what caused it; its message is never looked at, since it holds the URL. */
function codeOf(error: unknown): string | undefined {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown };
  if (typeof code === "string" && /^[A-Z][A-Z0-9_]{2,48}$/.test(code)) return code;
  return cause === undefined ? undefined : codeOf(cause);
}
