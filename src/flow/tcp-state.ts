// SPDX-License-Identifier: AGPL-3.0-or-later
import { type Packet, TcpFlag } from "../decode/packet.ts";
import { FlowState, hasEnded, isHalfOpen, STATE_MASK, StateFlag } from "./flow-state.ts";
import { FlowEvent } from "./tracker.ts";

const { FIN, SYN, RST, ACK } = TcpFlag;
const BOTH_FINS = StateFlag.CLIENT_FIN | StateFlag.SERVER_FIN;
const CLIENT = 0;
const IP_PROTOCOL = 6;

/**
 * What a segment does to a connection (RFC 9293 §3.3.2, as an observer sees it). A step is the new state byte
 * in the low eight bits and above them the event to report, 0 for none.
 */
export function tcpStep(state: number, side: number, flags: number, payloadLength: number): number {
  if ((flags & RST) !== 0) return reset(state, side);
  if ((flags & (SYN | ACK)) === SYN) return syn(state, side);
  if ((flags & SYN) !== 0) return synAck(state, side);
  return segment(state, side, flags, payloadLength);
}

/** The step of a flow's first segment. A SYN-ACK is taken to be the server's, anything else the client's. */
export function tcpStart(flags: number): number {
  if ((flags & RST) !== 0) return FlowState.CLOSED;
  if ((flags & (SYN | ACK)) === SYN) {
    return step(FlowState.SYN_SENT | StateFlag.AWAITING, FlowEvent.SYN);
  }
  if ((flags & SYN) !== 0) return step(FlowState.SYN_ACKED, FlowEvent.SYN_ACK);
  return (flags & FIN) === 0 ? FlowState.MIDSTREAM : FlowState.MIDSTREAM | StateFlag.CLIENT_FIN;
}

/** The same for a packet of a flow without TCP. */
export function answerStep(state: number, side: number): number {
  return state === FlowState.OPEN && side !== CLIENT
    ? step(FlowState.ANSWERED, FlowEvent.ESTABLISHED)
    : state;
}

/** True for a packet whose TCP header was read. */
export function hasTcpHeader(packet: Packet): boolean {
  return packet.ipProtocol === IP_PROTOCOL && packet.transportAt >= 0;
}

export function stateOf(step: number): number {
  return step & 0xff;
}

export function eventOf(step: number): number {
  return step >>> 8;
}

/** Builds a step. */
export function step(state: number, event: number): number {
  return state | (event << 8);
}

function reset(state: number, side: number): number {
  if (isHalfOpen(state)) {
    return side === CLIENT
      ? step(FlowState.ABORTED, FlowEvent.ABORTED)
      : step(FlowState.REFUSED, FlowEvent.REFUSED);
  }
  if (hasEnded(state)) return state;
  const isRejected = side !== CLIENT && (state & STATE_MASK) === FlowState.MIDSTREAM;
  return isRejected ? step(FlowState.CLOSED, FlowEvent.REJECTED) : FlowState.CLOSED;
}

function syn(state: number, side: number): number {
  if (side === CLIENT) {
    return step(isHalfOpen(state) ? state | StateFlag.AWAITING : state, FlowEvent.SYN);
  }
  // Both ends open at once (RFC 9293 §3.5): the other SYN is an answer, the SYN-ACKs that follow complete it.
  return (state & STATE_MASK) === FlowState.SYN_SENT ? FlowState.SYN_ACKED : state;
}

function synAck(state: number, side: number): number {
  if (!isHalfOpen(state)) return state;
  if (side === CLIENT) {
    return (state & STATE_MASK) === FlowState.SYN_ACKED
      ? step(FlowState.ESTABLISHED, FlowEvent.ESTABLISHED)
      : state;
  }
  return (state & StateFlag.AWAITING) === 0 ? state : step(FlowState.SYN_ACKED, FlowEvent.SYN_ACK);
}

function segment(state: number, side: number, flags: number, payloadLength: number): number {
  if (hasEnded(state)) return state;
  if (!isHalfOpen(state)) return open(state, side, flags);
  // The client's ACK alone proves nothing unless the server has answered: a scanner could send it blindly.
  const acknowledged =
    side === CLIENT
      ? (state & STATE_MASK) === FlowState.SYN_ACKED && (flags & ACK) !== 0
      : payloadLength > 0;
  if (!acknowledged) return state;
  return step(open(FlowState.ESTABLISHED, side, flags), FlowEvent.ESTABLISHED);
}

/** ESTABLISHED, MIDSTREAM and CLOSING: notes the FINs. */
function open(state: number, side: number, flags: number): number {
  const isOneSided = (state & STATE_MASK) === FlowState.MIDSTREAM && side === CLIENT;
  let fins = state & BOTH_FINS;
  if ((flags & FIN) !== 0) fins |= side === CLIENT ? StateFlag.CLIENT_FIN : StateFlag.SERVER_FIN;
  if (fins === BOTH_FINS) return FlowState.CLOSED;
  if (isOneSided) return FlowState.MIDSTREAM | fins;
  return fins === 0 ? FlowState.ESTABLISHED : FlowState.CLOSING | fins;
}
