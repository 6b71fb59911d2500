// SPDX-License-Identifier: AGPL-3.0-or-later
import type { NumberList } from "./number-list.ts";
import { Stop } from "./protocol.ts";

/** GREASE values (RFC 8701): 0x0a0a, 0x1a1a … 0xfafa. */
export function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >>> 8 === (value & 0xff);
}

/** A vector of 16-bit numbers after its own length in two bytes. */
export function readVector(view: DataView, at: number, end: number, into: NumberList): number {
  if (at + 2 > end) return Stop.MALFORMED;
  const listEnd = at + 2 + view.getUint16(at);
  return listEnd > end ? Stop.MALFORMED : readPairs(view, at + 2, listEnd, into);
}

/** 16-bit numbers in `[at, end)`, GREASE left out. */
export function readPairs(view: DataView, at: number, end: number, into: NumberList): number {
  for (let i = at; i + 2 <= end; i += 2) {
    const value = view.getUint16(i);
    if (isGrease(value)) continue;
    if (into.isFull) return Stop.UNSUPPORTED;
    into.push(value);
  }
  return Stop.DONE;
}

/** Bytes after their own length in one byte. */
export function readBytes(view: DataView, at: number, end: number, into: NumberList): number {
  if (at + 1 > end) return Stop.MALFORMED;
  const listEnd = at + 1 + view.getUint8(at);
  if (listEnd > end) return Stop.MALFORMED;
  for (let i = at + 1; i < listEnd; i++) {
    if (into.isFull) return Stop.UNSUPPORTED;
    into.push(view.getUint8(i));
  }
  return Stop.DONE;
}
