// SPDX-License-Identifier: AGPL-3.0-or-later
import { i32 } from "../util/typed.ts";

/** Where a flow stands. Flows without TCP know only the first two and REFUSED. */
export const FlowState = {
  /** Only the client has sent. */
  OPEN: 0,
  /** Both ends have sent. */
  ANSWERED: 1,
  SYN_SENT: 2,
  SYN_ACKED: 3,
  ESTABLISHED: 4,
  /** TCP met without its handshake, one end heard so far. */
  MIDSTREAM: 5,
  /** One end has sent FIN. */
  CLOSING: 6,
  CLOSED: 7,
  REFUSED: 8,
  /** The client reset the half-open connection. */
  ABORTED: 9,
} as const;

/** The state in the low four bits of a flow's state byte; the others are flags of a TCP flow. */
export const STATE_MASK = 0x0f;

export const StateFlag = {
  /** A SYN of the client waits for its SYN-ACK. */
  AWAITING: 0x10,
  CLIENT_FIN: 0x20,
  SERVER_FIN: 0x40,
  /** UNANSWERED was said. */
  REPORTED: 0x80,
} as const;

const IDLE_SECONDS: Readonly<Record<keyof typeof FlowState, number>> = {
  OPEN: 60,
  ANSWERED: 180,
  // Outlasts the longest pause between two SYNs of Linux (32 s), which so stay one flow.
  SYN_SENT: 40,
  SYN_ACKED: 40,
  ESTABLISHED: 300,
  MIDSTREAM: 30,
  CLOSING: 120,
  // For late segments, and resets that end a connection for good.
  CLOSED: 20,
  REFUSED: 10,
  ABORTED: 10,
};
const IDLE_MS = idleTable();

function idleTable(): Int32Array {
  const table = new Int32Array(STATE_MASK + 1);
  for (const [name, seconds] of Object.entries(IDLE_SECONDS)) {
    table[FlowState[name as keyof typeof FlowState]] = seconds * 1000;
  }
  return table;
}

/**
 * Milliseconds a flow may be silent in its state. It is also the order of eviction: the flow that would time out
 * first goes first, so half-open flows and single packets, which cost an attacker nothing, never push out
 * connections that live.
 */
export function idleMs(stateByte: number): number {
  return i32(IDLE_MS, stateByte & STATE_MASK);
}

/** True for a flow that has ended, and only absorbs what comes late. */
export function hasEnded(stateByte: number): boolean {
  return (stateByte & STATE_MASK) >= FlowState.CLOSED;
}

export function isHalfOpen(stateByte: number): boolean {
  const state = stateByte & STATE_MASK;
  return state === FlowState.SYN_SENT || state === FlowState.SYN_ACKED;
}

/** True for a TCP flow in which both ends have been heard and which has not ended. */
export function isConnected(state: number): boolean {
  const phase = state & STATE_MASK;
  return phase === FlowState.ESTABLISHED || phase === FlowState.CLOSING;
}
