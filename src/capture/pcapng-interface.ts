// SPDX-License-Identifier: AGPL-3.0-or-later
import { linkTypeOf } from "./link-types.ts";
import { setTime } from "./record-reader.ts";
import type { Frame } from "./source.ts";

// Option codes of an interface description block, draft-ietf-opsawg-pcapng section 4.2.
const IF_TSRESOL = 9;
const IF_TSOFFSET = 14;

const DEFAULT_TSRESOL = 6;
const BINARY_RESOLUTION = 0x80;
const HIGH_WORD = 32n;

/**
 * Offset of the value of option `code` in the options at `[at, end)`, or -1 where there is none that is
 * `lengthBytes` long.
 */
export function findOption(
  view: DataView,
  at: number,
  end: number,
  little: boolean,
  code: number,
  lengthBytes: number,
): number {
  while (at + 4 <= end) {
    const found = view.getUint16(at, little);
    const length = view.getUint16(at + 2, little);
    if (found === 0) return -1;
    const value = at + 4;
    if (found === code && length === lengthBytes && value + length <= end) return value;
    at = value + ((length + 3) & ~3);
  }
  return -1;
}

/** One capture interface of a pcapng section: its link type, snap length and clock. */
export class PcapngInterface {
  readonly linkType: number;
  /** 0 where the writer set no limit. */
  readonly snaplen: number;
  readonly #unitsPerSecond: bigint;
  readonly #units: number;
  readonly #offsetSeconds: number;
  // A time stamp is a 64-bit count of units. Its upper word changes once in seconds to hours, so the division
  // that needs more than 53 bits is done then, and every other packet of the interface adds its lower word.
  #high = -1;
  #baseSeconds = 0;
  #baseUnits = 0;

  /** Takes an interface description block's body `[at, end)`, which is at least 8 bytes long. */
  constructor(view: DataView, at: number, end: number, little: boolean) {
    this.linkType = linkTypeOf(view.getUint16(at, little));
    this.snaplen = view.getUint32(at + 4, little);
    const resolutionAt = findOption(view, at + 8, end, little, IF_TSRESOL, 1);
    const resolution = resolutionAt < 0 ? DEFAULT_TSRESOL : view.getUint8(resolutionAt);
    const exponent = BigInt(resolution & ~BINARY_RESOLUTION);
    this.#unitsPerSecond = (resolution & BINARY_RESOLUTION ? 2n : 10n) ** exponent;
    this.#units = Number(this.#unitsPerSecond);
    const offsetAt = findOption(view, at + 8, end, little, IF_TSOFFSET, 8);
    this.#offsetSeconds = offsetAt < 0 ? 0 : Number(view.getBigInt64(offsetAt, little));
  }

  /** Sets the frame's time from the two words of a time stamp. */
  stamp(frame: Frame, high: number, low: number): void {
    if (high !== this.#high) this.#rebase(high);
    const units = this.#baseUnits + low;
    const seconds = Math.floor(units / this.#units);
    const rest = units - seconds * this.#units;
    // Dividing by a whole number keeps powers of ten exact where multiplying by a fraction would not.
    const nanoseconds =
      this.#units >= 1e9 ? rest / (this.#units / 1e9) : rest * (1e9 / this.#units);
    setTime(frame, this.#baseSeconds + seconds, Math.floor(nanoseconds));
  }

  #rebase(high: number): void {
    const units = BigInt(high) << HIGH_WORD;
    const seconds = units / this.#unitsPerSecond;
    this.#high = high;
    this.#baseSeconds = Number(seconds) + this.#offsetSeconds;
    this.#baseUnits = Number(units - seconds * this.#unitsPerSecond);
  }
}
