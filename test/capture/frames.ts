// SPDX-License-Identifier: AGPL-3.0-or-later

/** A frame as it is on the wire. */
export interface TestFrame {
  readonly what: string;
  readonly bytes: Uint8Array;
  /** Sent by the machine that captures. */
  readonly outgoing: boolean;
  /** Whom it is for: `us`, `all` (broadcast, multicast) or somebody `else`. */
  readonly to: "us" | "all" | "else";
}

const STRANGER = [2, 0, 0, 0, 0, 0x99];
const SENDER = [2, 0, 0, 0, 0, 0x0a];
export const BROADCAST = [255, 255, 255, 255, 255, 255];
const MULTICAST = [1, 0, 0x5e, 0, 0, 0xfb];

/** Numbers that look random and are the same each time. */
export function pseudoRandom(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x1_0000_0000;
  };
}

/** An Ethernet frame from `SENDER`, its payload filled with pseudo-random bytes. */
export function ethernet(
  to: readonly number[],
  type: readonly number[],
  payloadBytes: number,
): Uint8Array {
  const frame = new Uint8Array(14 + payloadBytes + type.length - 2);
  frame.set([...to, ...SENDER, ...type]);
  const random = pseudoRandom(payloadBytes + 7);
  for (let at = 12 + type.length; at < frame.length; at++) frame[at] = random() * 256;
  return frame;
}

export const IPV4 = [0x08, 0x00];
const IPV6 = [0x86, 0xdd];
export const ARP = [0x08, 0x06];
export const VLAN_5 = [0x81, 0x00, 0x60, 0x05];
const SERVICE_VLAN_100 = [0x88, 0xa8, 0x00, 0x64];

/** Frames of every kind that a capture must get right; `us` is the address of the interface that captures. */
export function testFrames(us: Uint8Array): readonly TestFrame[] {
  const to = [...us];
  const frames: TestFrame[] = [];
  const add = (what: string, bytes: Uint8Array, more: Partial<TestFrame> = {}): void => {
    frames.push({ what, bytes, outgoing: false, to: "us", ...more });
  };
  add("header only", ethernet(to, IPV4, 0));
  add("one byte of payload", ethernet(to, IPV4, 1));
  for (const size of [28, 45, 46, 47, 100, 575, 1400, 1486, 1500, 2034, 2035, 4000, 9000]) {
    add(`IPv4, ${size} bytes`, ethernet(to, IPV4, size));
    add(`IPv6, ${size} bytes`, ethernet(to, IPV6, size));
  }
  add("ARP to all", ethernet(BROADCAST, ARP, 28), { to: "all" });
  add("multicast", ethernet(MULTICAST, IPV4, 200), { to: "all" });
  add("somebody else's", ethernet(STRANGER, IPV4, 200), { to: "else" });
  add("unknown type", ethernet(to, [0x88, 0xb5], 60));
  add("802.3 length", ethernet(to, [0x00, 0x30], 48));
  for (const size of [2, 42, 1500, 3000]) {
    add(`802.1Q, ${size} bytes`, ethernet(to, [...VLAN_5, ...IPV4], size));
    add(`QinQ, ${size} bytes`, ethernet(to, [...SERVICE_VLAN_100, ...VLAN_5, ...IPV6], size));
  }
  add("802.1Q with ARP", ethernet(BROADCAST, [...VLAN_5, ...ARP], 28), { to: "all" });
  add("sent by us", ethernet(STRANGER, IPV4, 300), { outgoing: true, to: "else" });
  add("sent by us, 802.1Q", ethernet(STRANGER, [...VLAN_5, ...IPV4], 300), {
    outgoing: true,
    to: "else",
  });
  add("sent by us to all", ethernet(BROADCAST, ARP, 28), { outgoing: true, to: "all" });
  return frames;
}
