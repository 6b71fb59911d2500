// SPDX-License-Identifier: AGPL-3.0-or-later
import { chmodSync, statSync, unlinkSync } from "node:fs";
import { connect, type Server } from "node:net";
import { messageOf, NamError } from "../util/errors.ts";
import type { ListenAddress } from "../util/listen-address.ts";

/** Owner and group may connect. */
const SOCKET_MODE = 0o660;

/** Binds the server to the address, `text` as the operator wrote it. Throws LISTEN, and says what to do. */
export async function bind(server: Server, address: ListenAddress, text: string): Promise<void> {
  try {
    if (address.kind === "unix") await bindSocket(server, address.path);
    else await listening(server, address.host === "" ? { port: address.port } : address);
  } catch (error) {
    throw new NamError("LISTEN", `cannot listen on ${text}: ${remedyFor(error)}`, error);
  }
}

async function bindSocket(server: Server, path: string): Promise<void> {
  try {
    await listening(server, { path });
  } catch (error) {
    const isStale = hasCode(error, "EADDRINUSE") && (await isDeadSocket(path));
    if (!isStale) throw error;
    unlinkSync(path);
    await listening(server, { path });
  }
  chmodSync(path, SOCKET_MODE);
}

function listening(
  server: Server,
  where: { port: number; host?: string } | { path: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** True for the socket file of a process that is gone; never for any other file. */
async function isDeadSocket(path: string): Promise<boolean> {
  if (!statSync(path, { throwIfNoEntry: false })?.isSocket()) return false;
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("error", (error) => resolve(hasCode(error, "ECONNREFUSED")));
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
  });
}

function remedyFor(error: unknown): string {
  if (hasCode(error, "EADDRINUSE")) {
    return "it is in use; stop the program that has it, or choose another with --web.listen-address";
  }
  if (hasCode(error, "EACCES")) {
    return "permission denied; ports below 1024 and sockets in others' folders need more rights";
  }
  if (hasCode(error, "EADDRNOTAVAIL") || hasCode(error, "ENOTFOUND")) {
    return "this machine has no such address; `ip address` lists those it has";
  }
  return messageOf(error);
}

function hasCode(error: unknown, code: string): boolean {
  return (error as { code?: unknown } | null)?.code === code;
}
