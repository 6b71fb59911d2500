// SPDX-License-Identifier: AGPL-3.0-or-later
import { u8 } from "../../util/typed.ts";
import { Kind } from "./kinds.ts";
import { textHash } from "./text-hash.ts";

/** How well a method's name tells whose it is, as bits. */
export const Whose = {
  /** A method of MCP: with `Accept` of both types a proof. */
  MCP: 1,
  /** Of nobody but A2A. */
  A2A: 2,
  /** Of A2A where something else says so too. */
  MAYBE_A2A: 4,
  /** Of MCP from 2026-07-28 on only. */
  MCP_2026: 8,
} as const;

type Names = readonly (readonly [whose: number, kind: number, names: readonly string[]])[];
const { MCP, A2A, MAYBE_A2A, MCP_2026 } = Whose;

/**
 * https://modelcontextprotocol.io/specification (schemas of 2024-11-05 to 2026-07-28), https://a2a-protocol.org
 * (0.2 to 1.0). Method names of JSON-RPC, and what each does.
 */
const METHODS: Names = [
  [MCP, Kind.INITIALIZE, ["initialize"]],
  [MCP | MCP_2026, Kind.DISCOVER, ["server/discover"]],
  [MCP, Kind.LIST, ["tools/list", "resources/list", "resources/templates/list"]],
  [MCP, Kind.LIST, ["prompts/list", "roots/list"]],
  [MCP, Kind.CALL, ["tools/call", "resources/read", "prompts/get"]],
  [MCP, Kind.CALL, ["sampling/createMessage", "elicitation/create"]],
  [MCP, Kind.OTHER, ["ping", "completion/complete", "logging/setLevel"]],
  [MCP, Kind.OTHER, ["resources/subscribe", "resources/unsubscribe", "tasks/result"]],
  [MCP | MCP_2026, Kind.STREAM, ["subscriptions/listen"]],
  [MCP, Kind.NOTIFY, ["notifications/initialized", "notifications/cancelled"]],
  [MCP, Kind.NOTIFY, ["notifications/progress", "notifications/message"]],
  [MCP, Kind.NOTIFY, ["notifications/resources/updated", "notifications/tasks/status"]],
  [MCP, Kind.NOTIFY, ["notifications/resources/list_changed", "notifications/roots/list_changed"]],
  [MCP, Kind.NOTIFY, ["notifications/tools/list_changed", "notifications/prompts/list_changed"]],
  [MCP, Kind.NOTIFY, ["notifications/elicitation/complete"]],
  [MCP | MAYBE_A2A, Kind.OTHER, ["tasks/get", "tasks/cancel"]],
  [MCP | MAYBE_A2A, Kind.LIST, ["tasks/list"]],
  [A2A, Kind.CALL, ["message/send", "tasks/send"]],
  [A2A, Kind.STREAM, ["message/stream", "tasks/resubscribe", "tasks/sendSubscribe"]],
  [A2A, Kind.OTHER, ["tasks/pushNotificationConfig/set", "tasks/pushNotificationConfig/get"]],
  [A2A, Kind.OTHER, ["tasks/pushNotificationConfig/delete"]],
  [A2A, Kind.LIST, ["tasks/pushNotificationConfig/list"]],
  [A2A, Kind.DISCOVER, ["agent/getAuthenticatedExtendedCard", "agent/authenticatedExtendedCard"]],
  [MAYBE_A2A, Kind.CALL, ["SendMessage"]],
  [A2A, Kind.STREAM, ["SendStreamingMessage"]],
  [MAYBE_A2A, Kind.STREAM, ["SubscribeToTask"]],
  [MAYBE_A2A, Kind.OTHER, ["GetTask", "CancelTask"]],
  [MAYBE_A2A, Kind.LIST, ["ListTasks"]],
  [A2A, Kind.OTHER, ["CreateTaskPushNotificationConfig", "GetTaskPushNotificationConfig"]],
  [A2A, Kind.OTHER, ["DeleteTaskPushNotificationConfig"]],
  [A2A, Kind.LIST, ["ListTaskPushNotificationConfigs", "ListTaskPushNotificationConfig"]],
  [MAYBE_A2A, Kind.DISCOVER, ["GetExtendedAgentCard"]],
];

/** A power of two, several times the number of methods. */
const PLACES = 256;
const hashes = new Int32Array(PLACES);
const whose = new Uint8Array(PLACES);
const kinds = new Uint8Array(PLACES);
for (const [owner, kind, names] of METHODS) {
  for (const name of names) {
    const hash = textHash(name);
    let place = hash & (PLACES - 1);
    while (whose[place] !== 0) place = (place + 1) & (PLACES - 1);
    hashes[place] = hash;
    whose[place] = owner;
    kinds[place] = kind;
  }
}

/** Place of the method whose name has this hash, -1 for one that is not known. */
export function methodOf(hash: number): number {
  let place = hash & (PLACES - 1);
  while (u8(whose, place) !== 0) {
    if (hashes[place] === hash) return place;
    place = (place + 1) & (PLACES - 1);
  }
  return -1;
}

/** Bits of Whose of a method; 0 for -1. */
export function ownersOf(method: number): number {
  return method < 0 ? 0 : u8(whose, method);
}

/** What a method does, a Kind: OTHER for -1. */
export function kindOf(method: number): number {
  return method < 0 ? Kind.OTHER : u8(kinds, method);
}
