// SPDX-License-Identifier: AGPL-3.0-or-later
import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { Socket } from "node:net";
import { addressOf, connectTo, type Endpoint, secure } from "./connection.ts";

/** A collector that was sent everything and does not hang up has it all the same. */
const FAREWELL_MS = 2_000;

export interface Collector extends Endpoint {
  readonly tls: { readonly ca: string | undefined } | null;
}

/** Sends each message as a datagram of its own (RFC 5426); nobody says whether it arrived. */
export async function sendDatagrams(
  collector: Collector,
  messages: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const { address, family } = await addressOf(collector);
  signal.throwIfAborted();
  const socket = createSocket({ type: family === 6 ? "udp6" : "udp4", signal });
  socket.on("error", () => {});
  try {
    for (const message of messages) {
      await new Promise<void>((resolve, reject) => {
        socket.send(message, collector.port, address, (error) =>
          error ? reject(error) : resolve(),
        );
      });
    }
  } finally {
    if (!signal.aborted) socket.close();
  }
  return "sent over UDP, which says nothing of arrival";
}

/**
 * Sends messages over one connection, each with its length before it (RFC 6587 §3.4.1, RFC 5425 §4.3). Syslog has no
 * answer: what the collector took until it closed in good order counts as delivered.
 */
export async function sendStream(
  collector: Collector,
  messages: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const { host, timeoutMs, tls } = collector;
  const plain = await connectTo(collector, signal);
  try {
    const socket = tls ? await secure(plain, { host, ca: tls.ca, timeoutMs }) : plain;
    const frames = messages.map((message) => `${Buffer.byteLength(message)} ${message}`);
    await deliver(socket, frames.join(""), signal);
  } finally {
    plain.destroy();
  }
  return `sent over ${tls ? "TLS" : "TCP"}`;
}

async function deliver(socket: Socket, bytes: string, signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  socket.resume();
  const closed = once(socket, "close", { signal: either });
  const finished = once(socket, "finish", { signal: either });
  socket.end(bytes);
  try {
    await Promise.race([finished, closed]);
    if (!socket.writableFinished) {
      throw Object.assign(new Error("closed"), { code: "ECONNRESET" });
    }
    const farewell = setTimeout(() => stop.abort(), FAREWELL_MS);
    await closed.catch((error: unknown) => {
      if (signal.aborted || !stop.signal.aborted) throw error;
    });
    clearTimeout(farewell);
  } finally {
    stop.abort();
    finished.catch(() => {});
    closed.catch(() => {});
  }
}
