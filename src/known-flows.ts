// SPDX-License-Identifier: AGPL-3.0-or-later
import { FRAMES_AHEAD } from "./capture/look-ahead.ts";
import { Direction, type Frame, LinkType, type LookAhead } from "./capture/source.ts";
import type { HomeNetworks } from "./decode/direction.ts";
import { TcpFlag } from "./decode/packet.ts";
import { POSITION_MASK } from "./decode/protocol.ts";
import type { QuietAccounts } from "./decode/quiet-accounts.ts";
import type { Reading } from "./decode/reading.ts";
import type { DistinctSketches } from "./flow/distinct.ts";
import type { FlowRows } from "./flow/flow-rows.ts";
import type { FlowTable } from "./flow/flow-table.ts";
import type { Flows } from "./flow/flows.ts";
import type { FlowStage } from "./flow/stage.ts";
import type { TcpSequences } from "./flow/tcp-sequences.ts";
import { u8 } from "./util/typed.ts";

/** What `take` did with a frame. A number of 0 or more: nothing, but this is the slot of its flow. */
export const Taken = { COUNTED: -2, UNKNOWN: -1 } as const;

const { COUNTED, UNKNOWN } = Taken;
const { ETHERNET } = LinkType;
const { UNKNOWN: NO_DIRECTION, IN, OUT } = Direction;
const { ACK, PSH } = TcpFlag;
const POSITION = POSITION_MASK;

/** Ethernet type, IPv4 version and header length in one word, and what of the next is nothing but zero or "don't fragment". */
const ETHERNET_TYPE_AT = 12;
const IPV4_WITHOUT_OPTIONS = 0x08004500;
const ALL_BUT_TOS = ~0xff;
const IP_AT = 14;
const TOTAL_LENGTH_AT = IP_AT + 2;
const FRAGMENT_AT = IP_AT + 6;
const FRAGMENT = 0x3fff;
const PROTOCOL_AT = IP_AT + 9;
const SOURCE_AT = IP_AT + 12;
const DESTINATION_AT = IP_AT + 16;
const TRANSPORT_AT = IP_AT + 20;
const TCP = 6;
const TCP_HEADER_LENGTH = 20;
const TCP_FLAGS_AT = TRANSPORT_AT + 12;
const UDP = 17;
const UDP_HEADER_LENGTH = 8;
const UDP_LENGTH_AT = TRANSPORT_AT + 4;
const PORTS_BYTES = 4;
/** Rows of so many flows, 64 bytes each, are twice what the second cache of a core usually holds. */
const FLOWS_BEYOND_CACHES = 32_768;

/**
 * The short way for nearly every packet: IPv4 without options over Ethernet, TCP or UDP, of a flow in which nothing
 * happens and no payload is to be read. It counts exactly what the long way through decoder and flow stage would
 * count, or nothing at all. test/pipeline/known-flows.test.ts holds the two against each other.
 */
export class KnownFlows implements LookAhead {
  readonly #flows: Flows;
  readonly #sequences: TcpSequences;
  readonly #table: FlowTable;
  readonly #rows: FlowRows;
  readonly #distinct: DistinctSketches;
  readonly #home: HomeNetworks;
  readonly #accounts: QuietAccounts;
  readonly #reading: Reading;
  /** By the lower byte of a UDP port: 1 where a tunnel may be behind it. */
  readonly #carrierEndings: Uint8Array;
  readonly #hashes = new Int32Array(FRAMES_AHEAD);
  readonly #fetched = new Int32Array(FRAMES_AHEAD);

  constructor(options: {
    readonly stage: FlowStage;
    readonly home: HomeNetworks;
    readonly accounts: QuietAccounts;
    readonly reading: Reading;
    readonly carrierEndings: Uint8Array;
  }) {
    const { flows, distinct } = options.stage;
    this.#flows = flows;
    this.#sequences = flows.sequences;
    this.#table = flows.table;
    this.#rows = flows.table.rows;
    this.#distinct = distinct;
    this.#home = options.home;
    this.#accounts = options.accounts;
    this.#reading = options.reading;
    this.#carrierEndings = options.carrierEndings;
  }

  /** True once there are more flows than the caches near a core hold. */
  isWorthwhile(): boolean {
    return this.#table.end >= FLOWS_BEYOND_CACHES;
  }

  /** Fetches from memory what `take` will look at of the frames that begin at `starts`, `FRAMES_AHEAD` at most; changes nothing. */
  announce(view: DataView, starts: Int32Array, count: number): void {
    const table = this.#table;
    const hashes = this.#hashes;
    const last = view.byteLength - TRANSPORT_AT - PORTS_BYTES;
    for (let i = 0; i < count; i++) {
      const start = starts[i] as number;
      // Whatever the frame is: of what is not IPv4 over Ethernet, the wrong flow is fetched, or none.
      hashes[i] =
        start > last
          ? 0
          : table.hashIpv4(
              view.getInt32(start + SOURCE_AT),
              view.getInt32(start + DESTINATION_AT),
              view.getInt32(start + TRANSPORT_AT),
              view.getUint8(start + PROTOCOL_AT),
            );
    }
    table.fetch(hashes, count, this.#fetched);
  }

  /** Counts the frame and returns COUNTED, or changes nothing and returns the slot of its flow or UNKNOWN. */
  take(frame: Frame, timeMs: number): number {
    const { view, start, end, wireLength } = frame;
    if (frame.linkType !== ETHERNET || frame.vlanTci >= 0) return UNKNOWN;
    const transportAt = start + TRANSPORT_AT;
    if (transportAt + UDP_HEADER_LENGTH > end) return UNKNOWN;
    if ((view.getInt32(start + ETHERNET_TYPE_AT) & ALL_BUT_TOS) !== IPV4_WITHOUT_OPTIONS) {
      return UNKNOWN;
    }
    const sentEnd = start + IP_AT + view.getUint16(start + TOTAL_LENGTH_AT);
    if (sentEnd > start + wireLength) return UNKNOWN;
    if ((view.getUint16(start + FRAGMENT_AT) & FRAGMENT) !== 0) return UNKNOWN;
    const protocol = view.getUint8(start + PROTOCOL_AT);
    let flags = 0;
    let payloadAt = transportAt + UDP_HEADER_LENGTH;
    let payloadLength = 0;
    if (protocol === TCP) {
      if (transportAt + TCP_HEADER_LENGTH > end) return UNKNOWN;
      const offsetAndFlags = view.getUint16(start + TCP_FLAGS_AT);
      const headerLength = (offsetAndFlags >>> 12) << 2;
      flags = offsetAndFlags & 0xff;
      payloadAt = transportAt + headerLength;
      payloadLength = sentEnd - payloadAt;
      if ((flags & ~PSH) !== ACK || headerLength < TCP_HEADER_LENGTH) return UNKNOWN;
      if (payloadLength < 0 || payloadAt > end) return UNKNOWN;
    } else if (protocol === UDP) {
      const length = view.getUint16(start + UDP_LENGTH_AT);
      payloadLength = length - UDP_HEADER_LENGTH;
      if (payloadLength < 0 || transportAt + length > sentEnd) return UNKNOWN;
    } else {
      return UNKNOWN;
    }
    const source = view.getInt32(start + SOURCE_AT);
    const destination = view.getInt32(start + DESTINATION_AT);
    const ports = view.getInt32(transportAt);
    const sourcePort = ports >>> 16;
    const destinationPort = ports & 0xffff;
    if (protocol === UDP) {
      const endings = this.#carrierEndings;
      if ((u8(endings, sourcePort & 0xff) | u8(endings, destinationPort & 0xff)) !== 0)
        return UNKNOWN;
    }
    const slot = this.#table.findIpv4(source, destination, sourcePort, destinationPort, protocol);
    if (slot < 0) return UNKNOWN;
    let application = 0;
    if (payloadLength > 0) {
      const verdict = this.#rows.verdict(slot);
      if (payloadAt >= end || this.#reading.wantsByte(verdict, view.getUint8(payloadAt)))
        return slot;
      application = verdict & POSITION;
    }
    if (!this.#flows.continueQuietly(slot, wireLength, timeMs)) return slot;
    if (this.#flows.isFirstOfWindow) {
      this.#distinct.addIpv4(source, destination, sourcePort, destinationPort, this.#table.side);
    }
    if (protocol === TCP) {
      this.#sequences.take(slot, this.#table.side, view, transportAt, payloadLength, timeMs);
    }
    let { direction } = frame;
    if (direction === NO_DIRECTION) {
      const isFromHome = this.#home.containsV4(source);
      if (isFromHome !== this.#home.containsV4(destination)) direction = isFromHome ? OUT : IN;
    }
    this.#accounts.add(protocol === TCP ? flags : 0, application, direction, wireLength);
    return COUNTED;
  }
}
