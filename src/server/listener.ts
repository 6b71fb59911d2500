// SPDX-License-Identifier: AGPL-3.0-or-later
import { createServer as createHttpServer, type RequestListener, type Server } from "node:http";
import { createServer as createHttpsServer, type Server as HttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { messageOf, NamError } from "../util/errors.ts";
import { type ListenAddress, parseListenAddress } from "../util/listen-address.ts";
import type { Log } from "../util/log.ts";
import { bind } from "./bind.ts";
import type { ServerLimits } from "./limits.ts";
import type { LiveWebConfig } from "./live-web-config.ts";
import { clientAuthOptions, isClientAllowed } from "./tls-options.ts";

/** One bound address. */
export interface Listener {
  /** URL, or `unix:/path`, with the port that was really bound. */
  readonly address: string;
  close(graceMs: number): Promise<void>;
}

/** Binds one address. Throws USAGE when it makes no sense, LISTEN when it cannot be had. */
export async function listen(
  text: string,
  handler: RequestListener,
  limits: ServerLimits,
  webConfig: LiveWebConfig | null,
  log: Log,
): Promise<Listener> {
  const address = addressOf(text);
  const server = createServer(handler, limits, webConfig);
  await bind(server, address, text);
  // E.g. no file descriptors left: this connection is lost, the server goes on.
  server.on("error", (error) =>
    log.error({ error: messageOf(error) }, "cannot accept a connection"),
  );
  const scheme = webConfig?.current().tls ? "https" : "http";
  return {
    address: address.kind === "unix" ? text : urlOf(scheme, server.address() as AddressInfo),
    close: (graceMs) => closeServer(server, graceMs),
  };
}

export function addressOf(text: string): ListenAddress {
  const address = parseListenAddress(text);
  if (!address) throw new NamError("USAGE", `"${text}" is no listen address`);
  return address;
}

function createServer(
  handler: RequestListener,
  limits: ServerLimits,
  webConfig: LiveWebConfig | null,
): Server {
  const options = {
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    maxHeaderSize: limits.maxHeaderBytes,
    // Node looks for late clients only this often.
    connectionsCheckingInterval: Math.min(1_000, limits.headersTimeoutMs),
  };
  const security = webConfig?.current();
  const tls = security?.config.tls_server_config;
  const server =
    webConfig && security?.tls && tls
      ? withRotation(
          createHttpsServer(
            {
              ...options,
              ...security.tls.context,
              ...clientAuthOptions(tls),
              handshakeTimeout: limits.headersTimeoutMs,
            },
            handler,
          ),
          webConfig,
        )
      : createHttpServer(options, handler);
  server.maxConnections = limits.maxConnections;
  return server;
}

/** New connections get the certificates as they are in the files now. */
function withRotation(server: HttpsServer, webConfig: LiveWebConfig): HttpsServer {
  let material = webConfig.current().tls;
  server.prependListener("connection", () => {
    const fresh = webConfig.current().tls;
    if (!fresh || fresh === material) return;
    material = fresh;
    server.setSecureContext(fresh.context);
  });
  server.prependListener("secureConnection", (socket) => {
    const tls = webConfig.current().config.tls_server_config;
    if (!tls || !isClientAllowed(tls, socket)) socket.destroy();
  });
  return server;
}

function closeServer(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}

function urlOf(scheme: string, { address, family, port }: AddressInfo): string {
  return `${scheme}://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}
