// SPDX-License-Identifier: AGPL-3.0-or-later
// How samples are made: what frames carry, and frames that one thing alone names.
import { type Bytes, bytes, ethernet, ipv4, ipv6, tcpFrame, udp, udpFrame } from "./frames.ts";

export interface Sample {
  /** Protocol of all.ts that the frame is about. */
  readonly protocol: string;
  readonly content: Bytes;
  readonly linkType?: number;
  /** Application protocol that earlier packets of the flow have proved; otherwise it is new. */
  readonly verdict?: string;
}

export const ipv4Udp = ipv4({ protocol: 17, payload: udp({ payload: bytes("data") }) });
export const ipv6Udp = ipv6({ nextHeader: 17, payload: udp({ payload: bytes("data") }) });
/** A whole Ethernet frame, as tunnels carry it. */
export const innerFrame = ethernet(0x0800, ipv4Udp);

/** UDP to a port that names the protocol. */
export function byUdpPort(protocol: string, port: number, payload = bytes("any payload")): Sample {
  return { protocol, content: udpFrame({ destinationPort: port, payload }) };
}

export function byTcpPort(
  protocol: string,
  port: number,
  payload: Bytes,
  verdict?: string,
): Sample {
  const content = tcpFrame({ destinationPort: port, payload });
  return verdict === undefined ? { protocol, content } : { protocol, content, verdict };
}

/** TCP or UDP between ports that name nothing: only the payload can tell. */
export function byTcpPayload(protocol: string, payload: Bytes): Sample {
  return { protocol, content: tcpFrame({ destinationPort: 40_000, payload }) };
}

export function byUdpPayload(protocol: string, payload: Bytes): Sample {
  return { protocol, content: udpFrame({ destinationPort: 40_000, payload }) };
}

export function transport(protocol: string, number: number, payload: Bytes): Sample {
  return { protocol, content: ethernet(0x0800, ipv4({ protocol: number, payload })) };
}

export function u16le(value: number): Bytes {
  return Uint8Array.of(value & 0xff, value >>> 8);
}
