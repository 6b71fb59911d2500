// SPDX-License-Identifier: AGPL-3.0-or-later
import { connect, isIP, type Socket } from "node:net";
import tls from "node:tls";
import { CONNECT_TIMEOUT } from "./failure.ts";
import { guardedLookup } from "./target.ts";

const CONNECT_MAX_MS = 10_000;

/** A server that is spoken to without HTTP. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly allowPrivate: boolean;
  readonly timeoutMs: number;
}

/**
 * Connects over TCP, to an address the policy allows and no other, in at most 10 s. The socket ends with the signal.
 * Rejects with an error that has a code.
 */
export async function connectTo(endpoint: Endpoint, signal: AbortSignal): Promise<Socket> {
  const { address } = await addressOf(endpoint);
  signal.throwIfAborted();
  const socket = connect({ host: address, port: endpoint.port, signal });
  socket.on("error", ignore);
  await connected(socket, "connect", endpoint.timeoutMs);
  return socket;
}

/** TLS on top of a connection that stands; the certificate must be for `host`. */
export async function secure(
  socket: Socket,
  options: { readonly host: string; readonly ca: string | undefined; readonly timeoutMs: number },
): Promise<tls.TLSSocket> {
  const { host, ca, timeoutMs } = options;
  const secured = tls.connect({
    socket,
    minVersion: "TLSv1.2",
    // A name is sent for names only: RFC 6066 §3.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    host,
    ...(ca === undefined ? {} : { ca }),
  });
  secured.on("error", ignore);
  await connected(secured, "secureConnect", timeoutMs);
  return secured;
}

/** An address of the endpoint that the policy allows. A literal address is checked like any other. */
export function addressOf({
  host,
  allowPrivate,
}: Pick<Endpoint, "host" | "allowPrivate">): Promise<{ address: string; family: number }> {
  return new Promise((resolve, reject) => {
    guardedLookup({ allowPrivate })(host, { all: false }, (error, address, family) => {
      if (error) reject(error);
      else resolve({ address: String(address), family: family ?? 4 });
    });
  });
}

/** The event that ends a wait is listened for where the wait is; without any listener an error would end the program. */
function ignore(): void {}

function connected(socket: Socket, event: string, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const limitMs = Math.min(CONNECT_MAX_MS, timeoutMs);
    const late = Object.assign(new Error("connect timeout"), { code: CONNECT_TIMEOUT });
    const broken = Object.assign(new Error("closed"), { code: "ECONNRESET" });
    const timer = setTimeout(() => socket.destroy(late), limitMs);
    const settle = (error?: Error): void => {
      clearTimeout(timer);
      if (error) reject(error);
      else resolve();
    };
    socket.once(event, () => settle());
    socket.once("error", settle);
    socket.once("close", () => settle(broken));
  });
}
