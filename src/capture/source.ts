// SPDX-License-Identifier: AGPL-3.0-or-later

/** Direction as the capture point knows it. `UNKNOWN` leaves it to the addresses. */
export const Direction = { IN: 0, OUT: 1, UNKNOWN: 2 } as const;

/** A file's or an interface's LINKTYPE_ value (https://www.tcpdump.org/linktypes.html). */
export const LinkType = {
  NULL: 0,
  ETHERNET: 1,
  PPP: 9,
  PPP_HDLC: 50,
  PPP_ETHER: 51,
  RAW: 101,
  C_HDLC: 104,
  IEEE802_11: 105,
  FRELAY: 107,
  LOOP: 108,
  LINUX_SLL: 113,
  IEEE802_11_PRISM: 119,
  IEEE802_11_RADIOTAP: 127,
  IEEE802_11_AVS: 163,
  PPP_WITH_DIR: 204,
  IPV4: 228,
  IPV6: 229,
  NFLOG: 239,
  LINUX_SLL2: 276,
} as const;

/**
 * One captured frame. The object and the memory behind `view` are reused as soon as the sink returns: nothing
 * may keep a reference to either.
 */
export interface Frame {
  /** Memory that holds the frame; captured bytes are `[start, end)`. */
  view: DataView;
  start: number;
  end: number;
  /**
   * Length on the wire in bytes, a VLAN tag in `vlanTci` included. Greater than `end - start`, and 4 for such a tag,
   * where the capture cut the frame.
   */
  wireLength: number;
  /** Packet time: seconds since 1970 UTC, and nanoseconds within the second. */
  seconds: number;
  nanoseconds: number;
  direction: number;
  linkType: number;
  /** VLAN tag that the kernel took out of the frame: TPID and TCI, or -1 where there is none. */
  vlanTpid: number;
  vlanTci: number;
}

export type FrameSink = (frame: Frame) => void;

/** Hears of frames before the sink gets them one by one: what they need can be fetched from memory for many at once. */
export interface LookAhead {
  /** False while nothing would be gained. */
  isWorthwhile(): boolean;
  /**
   * The next frames begin at the first `count` of `starts` in `view`. A frame may be shorter than any header, and end with
   * the view.
   */
  announce(view: DataView, starts: Int32Array, count: number): void;
}

/** Cumulative since open; `received` = frames given to the sink + every drop below. */
export interface CaptureStats {
  readonly received: number;
  /** Lost because the ring or the capture buffer was full; stays 0 where the source cannot know. */
  readonly droppedKernel: number;
  /** Lost between the kernel's ring and the sink. */
  readonly droppedRing: number;
  /** Second copies of loopback frames, left out of `received`. */
  readonly duplicates: number;
  /** Times the ring stood full. */
  readonly ringFreezes: number;
  /** Share of the ring that waits to be read, 0 to 1. */
  readonly ringFill: number;
  /** False where drops cannot be counted at all. */
  readonly dropCounterSupported: boolean;
}

export type SourceName = "afpacket" | "cap" | "pcap-file";

/** Where frames come from. One conformance suite runs over every implementation. */
export interface CaptureSource {
  readonly name: SourceName;
  /** Interface name, or the file's name. */
  readonly interfaceName: string;
  /**
   * Takes what needs privilege (socket, ring, file). Throws NamError: CAPTURE_PERMISSION, CAPTURE_INTERFACE,
   * CAPTURE_FILTER, CAPTURE_FILE, CAPTURE_SOURCE_UNAVAILABLE.
   */
  open(): Promise<void>;
  /**
   * Delivers frames until the input ends or `stop` is called. Never delivers after it settled. Rejects with
   * CAPTURE_FILE_DAMAGED after the frames that came before the damage. Sources that know frames before they deliver them
   * tell `lookAhead`.
   */
  run(sink: FrameSink, lookAhead?: LookAhead): Promise<void>;
  stop(): void;
  stats(): CaptureStats;
  /** False while a live interface is down or gone; absent where the source cannot tell. */
  capturing?(): boolean;
  /** Releases everything; idempotent. */
  close(): void;
}

export function emptyFrame(): Frame {
  return {
    view: new DataView(new ArrayBuffer(0)),
    start: 0,
    end: 0,
    wireLength: 0,
    seconds: 0,
    nanoseconds: 0,
    direction: Direction.UNKNOWN,
    linkType: LinkType.ETHERNET,
    vlanTpid: -1,
    vlanTci: -1,
  };
}
