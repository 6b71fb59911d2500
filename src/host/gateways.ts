// SPDX-License-Identifier: AGPL-3.0-or-later
import { readFile } from "node:fs/promises";
import si from "systeminformation";

const ROUTES = "/proc/net/route";
const GATEWAY_COLUMN = 2;
const NO_GATEWAY = "00000000";

/** IPv4 addresses of the routers this machine sends through; empty where they cannot be found out. */
export async function findGateways(): Promise<string[]> {
  if (process.platform === "linux")
    return parseRoutes(await readFile(ROUTES, "utf8").catch(() => ""));
  const gateway = await si.networkGatewayDefault().catch(() => "");
  return gateway ? [gateway] : [];
}

/** Gateways in proc_net(5) route, each once: an address is a host-order word in hexadecimal. */
export function parseRoutes(text: string): string[] {
  const words = text
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split("\t")[GATEWAY_COLUMN] ?? "")
    .filter((word) => /^[0-9A-F]{8}$/i.test(word) && word !== NO_GATEWAY);
  return [...new Set(words)].map((word) => [...Buffer.from(word, "hex").reverse()].join("."));
}
