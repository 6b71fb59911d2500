// SPDX-License-Identifier: AGPL-3.0-or-later
import type { TrackerRows } from "../flow/window.ts";
import { isBrowser, isKnownFamily } from "../util/client-family.ts";
import type { Entity } from "./detector.ts";
import { endpoint } from "./text.ts";

/** Calls of one client to one provider, or to one server of which nobody knows whose it is. */
export type AiCallRow = TrackerRows["ai_calls"][number];

/** Provider of a call to a host that is no provider's. */
const NO_PROVIDER = "none";

/** True where the server's name is a provider's. */
export function hasProvider({ provider }: AiCallRow): boolean {
  return provider !== NO_PROVIDER;
}

/** The provider, or else the server by its name, or its address. */
export function targetOf(row: AiCallRow): string {
  if (hasProvider(row)) return row.provider;
  return row.host === "" ? endpoint(row.server, row.port) : `${row.host}:${row.port}`;
}

/** True for calls in clear text. */
export function isPlain({ protocol }: AiCallRow): boolean {
  return protocol === "http";
}

/** The client and its target as an entity; filters by domain find the name. */
export function entityOf(row: AiCallRow): Entity {
  return {
    ...{ kind: "pair", key: `${row.client} ${targetOf(row)}`, source: row.client },
    ...{ destination: row.server, port: row.port },
    ...(row.host === "" ? {} : { domain: row.host }),
  };
}

/** True for a client that is known to be a program's. */
export function isProgram(family: string): boolean {
  return isKnownFamily(family) && !isBrowser(family);
}
