// SPDX-License-Identifier: AGPL-3.0-or-later
import ipaddr from "ipaddr.js";

/** Where to listen: a unix socket, or a host (empty for every address) and a port. */
export type ListenAddress =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

/** What `parseListenAddress` understands, for messages. */
export const LISTEN_ADDRESS_FORMS =
  "host:port, [IPv6]:port, :port for every address, or unix:/path";

const TCP = /^(?:\[(?<v6>[0-9a-fA-F:.]+(?:%\w+)?)\]|(?<host>[^:[\]/\s]*)):(?<port>\d{1,5})$/;

/** Reads the forms above; null for anything else. */
export function parseListenAddress(text: string): ListenAddress | null {
  if (text.startsWith("unix:/")) return { kind: "unix", path: text.slice("unix:".length) };
  const groups = TCP.exec(text)?.groups;
  const port = Number(groups?.port);
  if (!groups || port > 65_535) return null;
  return { kind: "tcp", host: groups.v6 ?? groups.host ?? "", port };
}

/** True when only this machine can reach the address. */
export function isLocalAddress(address: ListenAddress): boolean {
  return address.kind === "unix" || isLoopbackHost(address.host);
}

export function isLoopbackHost(host: string): boolean {
  if (host === "localhost") return true;
  return ipaddr.isValid(host) && ipaddr.process(host).range() === "loopback";
}
