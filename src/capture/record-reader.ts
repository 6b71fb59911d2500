// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Delivery } from "./delivery.ts";
import type { Frame } from "./source.ts";

/** Where a capture file stops making sense, and why. */
export interface Damage {
  /** Bytes from the start of the (uncompressed) file. */
  readonly offset: number;
  readonly reason: string;
}

/** Reads the records of one capture format out of chunks of any size. */
export interface RecordReader {
  readonly format: "pcap" | "pcapng";
  /** LINKTYPE_ values declared so far, in order of appearance, each once. */
  readonly linkTypes: readonly number[];
  /** Set as soon as the input is found damaged; nothing can be read after that. */
  readonly damage: Damage | null;
  /**
   * Delivers every whole record in `[at, end)` and returns where the first incomplete one begins. `origin` is
   * the file offset of `view`'s first byte. Stops early when damaged or when `delivery.stopped` is set.
   */
  read(view: DataView, at: number, end: number, origin: number, delivery: Delivery): number;
}

/**
 * Largest record or block a reader waits for. Wireshark refuses larger blocks as well
 * (wiretap/pcapng.c, MAX_BLOCK_SIZE), and a length beyond it is nearly always damage.
 */
export const MAX_RECORD_BYTES = 16 * 1024 * 1024;

const NANOSECONDS_PER_SECOND = 1_000_000_000;

/**
 * Sets the frame's time. A sub-second part of a second or more, which broken writers produce, is carried over; one of
 * two or more is no time, and would make the clock leap by up to an hour: the second stands without it.
 */
export function setTime(frame: Frame, seconds: number, nanoseconds: number): void {
  frame.seconds = seconds;
  frame.nanoseconds = nanoseconds;
  if (nanoseconds < NANOSECONDS_PER_SECOND) return;
  const isCarried = nanoseconds < 2 * NANOSECONDS_PER_SECOND;
  frame.seconds = isCarried ? seconds + 1 : seconds;
  frame.nanoseconds = isCarried ? nanoseconds - NANOSECONDS_PER_SECOND : 0;
}
