// SPDX-License-Identifier: AGPL-3.0-or-later

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

const SECOND = 1000;

/**
 * Milliseconds a flow may be silent in each state. It is also the order of eviction: the flow that would time out
 * first goes first, so half-open flows and single packets, which cost an attacker nothing, never push out
 * connections that live. 40 s for a half-open connection outlasts the longest pause between two SYNs of Linux
 * (32 s), which therefore stay one flow; the time after the end absorbs late segments.
 */
export const IDLE_MS: Int32Array = idleTimes();

function idleTimes(): Int32Array {
  const times = new Int32Array(STATE_MASK + 1);
  times[FlowState.OPEN] = 60 * SECOND;
  times[FlowState.ANSWERED] = 180 * SECOND;
  times[FlowState.SYN_SENT] = 40 * SECOND;
  times[FlowState.SYN_ACKED] = 40 * SECOND;
  times[FlowState.ESTABLISHED] = 300 * SECOND;
  times[FlowState.MIDSTREAM] = 30 * SECOND;
  times[FlowState.CLOSING] = 120 * SECOND;
  times[FlowState.CLOSED] = 20 * SECOND;
  times[FlowState.REFUSED] = 10 * SECOND;
  times[FlowState.ABORTED] = 10 * SECOND;
  return times;
}

/** True for a flow that has ended, and only absorbs what comes late. */
export function hasEnded(stateByte: number): boolean {
  return (stateByte & STATE_MASK) >= FlowState.CLOSED;
}

export function isHalfOpen(stateByte: number): boolean {
  const state = stateByte & STATE_MASK;
  return state === FlowState.SYN_SENT || state === FlowState.SYN_ACKED;
}
