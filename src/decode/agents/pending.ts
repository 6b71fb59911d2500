// SPDX-License-Identifier: AGPL-3.0-or-later
// Requests of a flow that wait for their response, as far as agents are concerned: a queue in words of the flow.
import { i32 } from "../../util/typed.ts";

/** What is kept of a request: 16 bits. The protocol and the kind are kept plus one, 0 for none yet. */
export const Entry = {
  PROTOCOL: 0xf,
  KIND_SHIFT: 4,
  KIND: 0xf0,
  /** It carried something like a password. */
  AUTH: 0x100,
  /** Its host was an address. */
  ADDRESS: 0x200,
  /** It opens a stream of events. */
  OPENS_STREAM: 0x400,
  /** It has been counted; others are when the response shows that the server understands them. */
  COUNTED: 0x800,
  /** Nothing more than a fitting response is needed to count it. */
  EVIDENT: 0x1000,
  /** Which part of ACP it asks for. */
  ROOT_SHIFT: 13,
  ROOT: 0x6000,
  /** Always set. */
  REQUEST: 0x8000,
} as const;

/** Words of the queue. */
export const PENDING_WORDS = 3;
const COUNT = 2;
const MOST = 4;
const MASK = 0xffff;

/** Notes a request; a client that sends more than four ahead is followed no further until they are answered. */
export function push(words: Int32Array, queue: number, entry: number): void {
  const count = i32(words, queue + COUNT);
  words[queue + COUNT] = count + 1;
  if (count < MOST) put(words, queue, count, entry);
}

/** The oldest request, taken out; 0 without one, or for one too many. */
export function shift(words: Int32Array, queue: number): number {
  const count = i32(words, queue + COUNT);
  if (count === 0) return 0;
  const low = i32(words, queue);
  const high = i32(words, queue + 1);
  words[queue] = (low >>> 16) | (high << 16);
  words[queue + 1] = high >>> 16;
  words[queue + COUNT] = count - 1;
  return low & MASK;
}

/** Adds what was learned of the newest request since. */
export function amend(words: Int32Array, queue: number, bits: number): void {
  const newest = i32(words, queue + COUNT) - 1;
  if (newest < 0 || newest >= MOST) return;
  const at = queue + (newest >> 1);
  words[at] = i32(words, at) | (bits << ((newest & 1) * 16));
}

/** Forgets them all. */
export function forget(words: Int32Array, queue: number): void {
  words.fill(0, queue, queue + PENDING_WORDS);
}

/** An entry's protocol, -1 while it is not known. */
export function protocolOf(entry: number): number {
  return (entry & Entry.PROTOCOL) - 1;
}

/** What an entry does, -1 while it is not known. */
export function kindOfEntry(entry: number): number {
  return ((entry & Entry.KIND) >>> Entry.KIND_SHIFT) - 1;
}

/** Bits of a protocol and a kind. */
export function entryOf(protocol: number, kind: number): number {
  return (protocol + 1) | ((kind + 1) << Entry.KIND_SHIFT);
}

function put(words: Int32Array, queue: number, index: number, entry: number): void {
  const at = queue + (index >> 1);
  const offset = (index & 1) * 16;
  words[at] = (i32(words, at) & ~(MASK << offset)) | (entry << offset);
}
