// SPDX-License-Identifier: AGPL-3.0-or-later
import { PENDING_WORDS } from "./pending.ts";

/** Words of a flow that HTTP needs for itself: a cache line. */
const HTTP_WORDS = 16;

/** What is kept of a flow for agents, behind the words of HTTP (http-state.ts). */
export const AgentFlow = {
  /** All words of a flow. */
  WORDS: HTTP_WORDS + PENDING_WORDS + 6,
  /** Queue of requests without a response (pending.ts). */
  PENDING: HTTP_WORDS,
  /** Hashes of the last `Mcp-Method` and `Mcp-Name`. */
  METHOD_HASH: HTTP_WORDS + PENDING_WORDS,
  NAME_HASH: HTTP_WORDS + PENDING_WORDS + 1,
  /** Hash of the last request's target, where it may be an endpoint, and of the endpoint that the flow named. */
  TARGET: HTTP_WORDS + PENDING_WORDS + 2,
  ENDPOINT: HTTP_WORDS + PENDING_WORDS + 3,
  /** Position plus one of the protocol that was spoken last, 0 for none. */
  PROTOCOL: HTTP_WORDS + PENDING_WORDS + 4,
  /** Sequence number of the first byte of the last request. */
  STARTED: HTTP_WORDS + PENDING_WORDS + 5,
} as const;
