// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Packet } from "../decode/packet.ts";

/** RFC 826 for Ethernet and IPv4: hardware type 1, protocol 0x0800, address lengths 6 and 4. */
const Field = {
  HARDWARE: 0,
  PROTOCOL: 2,
  LENGTHS: 4,
  OPERATION: 6,
  SENDER_MAC: 8,
  SENDER_IP: 14,
  TARGET_MAC: 18,
  TARGET_IP: 24,
  END: 28,
} as const;
const ETHERNET = 1;
const IPV4 = 0x0800;
const MAC_AND_IPV4_LENGTHS = 0x0604;
const REPLY = 2;
const GROUP_ADDRESS = 0x0100;

/** What the sender of an ARP packet says of itself; reused. */
export interface ArpClaim {
  /** IPv4 address. */
  address: number;
  /** MAC address: its first two bytes, and its last four. */
  macHigh: number;
  macLow: number;
  isReply: boolean;
  /** The sender asks for, or answers about, its own address (RFC 5227 §3: announcement). */
  isGratuitous: boolean;
  /** Whom a reply is for (its MAC address in the same form), and which address is asked for or told. */
  targetHigh: number;
  targetLow: number;
  target: number;
}

export function emptyClaim(): ArpClaim {
  const sender = { address: 0, macHigh: 0, macLow: 0, isReply: false, isGratuitous: false };
  return { ...sender, targetHigh: 0, targetLow: 0, target: 0 };
}

/**
 * Reads the sender's claim from a packet of the ARP decoder. False where there is none: another kind of ARP, a probe
 * (RFC 5227 §2.1.1: sender address 0), or a MAC address that no host has.
 */
export function readArpClaim(packet: Packet, claim: ArpClaim): boolean {
  const { view, networkAt: at } = packet;
  if (at < 0 || at + Field.END > packet.end || !isEthernetIpv4(view, at)) return false;
  claim.address = view.getInt32(at + Field.SENDER_IP);
  claim.macHigh = view.getUint16(at + Field.SENDER_MAC);
  claim.macLow = view.getInt32(at + Field.SENDER_MAC + 2);
  claim.isReply = view.getUint16(at + Field.OPERATION) === REPLY;
  claim.targetHigh = view.getUint16(at + Field.TARGET_MAC);
  claim.targetLow = view.getInt32(at + Field.TARGET_MAC + 2);
  claim.target = view.getInt32(at + Field.TARGET_IP);
  claim.isGratuitous = claim.target === claim.address;
  const isHost = (claim.macHigh | claim.macLow) !== 0 && (claim.macHigh & GROUP_ADDRESS) === 0;
  return isHost && claim.address !== 0;
}

function isEthernetIpv4(view: DataView, at: number): boolean {
  return (
    view.getUint16(at + Field.HARDWARE) === ETHERNET &&
    view.getUint16(at + Field.PROTOCOL) === IPV4 &&
    view.getUint16(at + Field.LENGTHS) === MAC_AND_IPV4_LENGTHS
  );
}
