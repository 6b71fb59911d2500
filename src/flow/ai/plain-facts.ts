// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../../decode/packet.ts";

const SWITCHING_PROTOCOLS = 101;

/** What the http decoder leaves of language models and of messages; declared there. */
interface PlainFacts {
  readonly agents?: {
    readonly packet: number;
    readonly asks: number;
    readonly askStart: number;
    readonly modelCalls: number;
  };
  readonly http?: MessageFacts & { readonly packet: number };
}

interface MessageFacts {
  readonly status: number;
  readonly responseRest: number;
  readonly bodyPending: boolean;
}

/** Requests in the packet that may be calls to a model. */
export function asksIn(packet: Packet): number {
  const { agents } = packet.facts as PlainFacts;
  return agents?.packet === packet.number ? agents.asks : 0;
}

/** Sequence number with which the first of them begins, in this packet or an earlier one; only where there are some. */
export function askStartIn({ facts }: Packet): number {
  return (facts as PlainFacts).agents?.askStart ?? 0;
}

/** True where the packet shows that a model was called. */
export function isProof(packet: Packet): boolean {
  const { agents } = packet.facts as PlainFacts;
  return agents?.packet === packet.number && agents.modelCalls > 0;
}

/** What the packet tells of messages; undefined within a body, and where the decoder has lost the place. */
export function messagesIn(packet: Packet): MessageFacts | undefined {
  const { http } = packet.facts as PlainFacts;
  return http?.packet === packet.number ? http : undefined;
}

/** RFC 9110 §15.2: another response follows; but for 101, behind which there is no HTTP any more. */
export function isInterim({ status }: MessageFacts): boolean {
  return status >= 100 && status < 200 && status !== SWITCHING_PROTOCOLS;
}
