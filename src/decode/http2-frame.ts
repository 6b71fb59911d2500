// SPDX-License-Identifier: AGPL-3.0-or-later
// The frame header of HTTP/2 (RFC 9113 §4.1): 24 bits of length, type, flags, stream.
import { u8 } from "../util/typed.ts";
import { fourBytes } from "./wire-text.ts";

export const HEADER_LENGTH = 9;
/** Frame types of §6 that are told apart here. */
export const FrameType = { HEADERS: 1, SETTINGS: 4, PUSH_PROMISE: 5, CONTINUATION: 9 } as const;
export const FrameFlag = { ACK: 0x1, END_HEADERS: 0x4, PADDED: 0x8, PRIORITY: 0x20 } as const;
/** Label values of frame types, and the position of each type's. */
export const FRAME_LABELS = ["data", "headers", "rst_stream", "settings", "other"];
export const FRAME_CELLS = Uint8Array.from(
  [
    "data",
    "headers",
    "other",
    "rst_stream",
    "settings",
    "other",
    "other",
    "other",
    "other",
    "headers",
  ],
  (name) => FRAME_LABELS.indexOf(name),
);
/** `PRI * HTTP/2.0`, two line ends, `SM`, and two more (§3.4). */
export const PREFACE_LENGTH = 24;
const PREFACE_0 = fourBytes("PRI ");
const PREFACE_4 = fourBytes("* HT");

const TYPE_AT = 3;
const FLAGS_AT = 4;
const STREAM_AT = 5;
/** §6.5.2: longer frames have to be allowed first, which hardly anyone does. */
const LENGTH_MAX = 16_384;
const SETTING_LENGTH = 6;
/** By type: the flags that it defines; its length where it has but one, else the least. */
const FLAGS = Uint8Array.of(0x9, 0x2d, 0, 0, 0x1, 0xc, 0x1, 0, 0, 0x4);
const LENGTHS = Uint8Array.of(0, 0, 5, 4, 0, 4, 8, 8, 4, 0);
const IS_FIXED = Uint8Array.of(0, 0, 1, 1, 0, 0, 1, 0, 1, 0);
/** By type: whether it belongs to a stream; a window is also that of the connection. */
const Streams = { NEVER: 0, ALWAYS: 1, EITHER: 2 } as const;
const STREAMS = Uint8Array.of(1, 1, 1, 1, 0, 1, 0, 0, 2, 1);

/** True where `at` begins with the client's preface, or as much of it as tells. */
export function startsPreface(view: DataView, at: number, end: number): boolean {
  if (end - at < 8) return false;
  return view.getInt32(at) === PREFACE_0 && view.getInt32(at + 4) === PREFACE_4;
}

/** True where `at` may be the header of a frame: what a place that was lost is found again by. */
export function startsFrame(view: DataView, at: number, end: number): boolean {
  if (end - at < HEADER_LENGTH) return false;
  const length = view.getInt32(at) >>> 8;
  const type = view.getUint8(at + TYPE_AT);
  if (length > LENGTH_MAX || type >= FLAGS.length) return false;
  if ((view.getUint8(at + FLAGS_AT) & ~u8(FLAGS, type)) !== 0) return false;
  const stream = view.getInt32(at + STREAM_AT);
  const streams = u8(STREAMS, type);
  if (stream < 0 || (streams !== Streams.EITHER && streams !== Math.min(stream, 1))) return false;
  if (type === FrameType.SETTINGS) return length % SETTING_LENGTH === 0;
  const least = u8(LENGTHS, type);
  return length === least || (length > least && u8(IS_FIXED, type) === 0);
}
