// SPDX-License-Identifier: AGPL-3.0-or-later
import { type Packet, TcpFlag } from "../../decode/packet.ts";
import { formatMac } from "../../util/address.ts";
import { i32 } from "../../util/typed.ts";
import { hashKey, mix } from "../hash.ts";
import { addFields } from "../row-merge.ts";
import type { Tracker, TrackerContext, TrackerDefinition } from "../tracker.ts";

/** Ethernet senders that showed up in a window, in ARP, in new flows and in what is neither. */
export interface SourceMacRow {
  /** Source MAC addresses that were not seen for 10 to 20 minutes; at most all, never one that is known. */
  readonly fresh: number;
  /** Frames that were looked at. */
  readonly frames: number;
  /** The last fresh address. */
  readonly lastMac: string;
}

declare module "../window.ts" {
  interface TrackerRows {
    readonly source_macs: readonly SourceMacRow[];
  }
}

/** Addresses are remembered as single bits: two that share one count once. */
const BITS = 65_536;
const WORDS = BITS >>> 5;
const BIT_MASK = BITS - 1;
/** A generation lasts so long, or until half of its bits are set. */
const SPAN_MS = 10 * 60_000;
const SPAN_BITS = BITS / 2;
const SOURCE_MAC_AT = 6;
const GROUP_ADDRESS = 0x0100;
const TCP = 6;
const UDP = 17;
const { SYN } = TcpFlag;

/** Two generations of bits: what is set in neither is fresh. */
class SourceMacs implements Tracker<SourceMacRow> {
  readonly #key: number = 0;
  readonly #mac = new DataView(new ArrayBuffer(6));
  #present = new Int32Array(WORDS);
  #before = new Int32Array(WORDS);
  #set = 0;
  #setBefore = 0;
  #sinceMs = 0;
  #fresh = 0;
  #frames = 0;

  constructor({ hashSeed }: TrackerContext) {
    this.#key = hashKey(hashSeed, "source macs");
  }

  onPacket(packet: Packet, timeMs: number): void {
    if (packet.ethernetAt < 0 || (packet.flowPackets > 1 && goesOn(packet))) return;
    const { view, ethernetAt } = packet;
    const high = view.getUint16(ethernetAt + SOURCE_MAC_AT);
    if ((high & GROUP_ADDRESS) !== 0) return;
    const low = view.getInt32(ethernetAt + SOURCE_MAC_AT + 2);
    this.#frames++;
    const hash = mix(low ^ mix(high, this.#key), this.#key);
    const word = (hash & BIT_MASK) >>> 5;
    const bit = 1 << (hash & 31);
    const present = this.#present;
    if ((i32(present, word) & bit) !== 0) return;
    if (timeMs - this.#sinceMs >= SPAN_MS || this.#set >= SPAN_BITS) this.#turn(timeMs);
    this.#present[word] = i32(this.#present, word) | bit;
    this.#set++;
    if ((i32(this.#before, word) & bit) !== 0) return;
    this.#fresh++;
    this.#mac.setUint16(0, high);
    this.#mac.setInt32(2, low);
  }

  close(): SourceMacRow[] {
    if (this.#frames === 0) return [];
    const lastMac = this.#fresh === 0 ? "" : formatMac(this.#mac, 0);
    const row = { fresh: this.#fresh, frames: this.#frames, lastMac };
    this.#fresh = 0;
    this.#frames = 0;
    return [row];
  }

  size(): number {
    return this.#set + this.#setBefore;
  }

  #turn(timeMs: number): void {
    const oldest = this.#before;
    this.#before = this.#present;
    this.#present = oldest.fill(0);
    this.#setBefore = this.#set;
    this.#set = 0;
    this.#sinceMs = timeMs;
  }
}

/** The other packets of a conversation tell nothing that its first did not; what only repeats its first may. */
function goesOn({ ipProtocol, tcpFlags }: Packet): boolean {
  return ipProtocol === UDP || (ipProtocol === TCP && (tcpFlags & SYN) === 0);
}

/** Which Ethernet addresses send: evidence of MAC floods. */
export const sourceMacs: TrackerDefinition<"source_macs"> = {
  name: "source_macs",
  help: "Ethernet addresses that send",
  capacity: BITS,
  shared: true,
  packets: ["other", "arp", "ipv4", "ipv6"],
  rows: {
    limit: 1,
    key: () => "",
    weight: (row) => row.frames,
    merge: (earlier, later) => ({
      ...addFields(earlier, later, ["fresh", "frames"]),
      lastMac: later.lastMac || earlier.lastMac,
    }),
  },
  create: (context) => new SourceMacs(context),
};
