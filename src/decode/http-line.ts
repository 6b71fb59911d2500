// SPDX-License-Identifier: AGPL-3.0-or-later
// Lines of HTTP/1.x (RFC 9112), read in place. `[at, end)` is a line without its line feed, or as much of it as there is.
import { isDigit, lineFeedAt, replyCode } from "./text-line.ts";
import { fourBytes } from "./wire-text.ts";
import { WordTable } from "./word-table.ts";

/** RFC 9110 §9.3 and RFC 5789; "other" is any other method. */
export const METHODS = [
  ...["get", "post", "head", "put", "delete", "options", "patch", "connect", "trace"],
  "other",
] as const;
export const Method = { HEAD: 2, CONNECT: 7, OTHER: 9 } as const;
/** How requests begin; those of WebDAV and others, from the tenth on, count as "other" (RFC 4918, 3253, 5323, 3744, UPnP). */
const STARTS = new WordTable([
  ...["GET ", "POST", "HEAD", "PUT ", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE"],
  ...["PROPFIND", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH"],
  ...["BIND", "PURGE", "SUBSCRIBE", "UNSUBSCRIBE", "NOTIFY", "QUERY"],
]);
const METHOD_LENGTHS = METHODS.map((name) => name.length);
/** Shortest start line that is looked at: `GET / HTTP/1.0`. */
const MIN_LENGTH = 12;
const LONGEST_METHOD = 16;
/** So far is a request line looked through for its version. */
const LINE_LOOK = 512;
/** `HTTP/1.1` and a carriage return. */
const VERSION_LENGTH = 9;
const STATUS_AT = 9;
const SPACE = 0x20;
const TAB = 0x09;
const CR = 0x0d;
const SLASH = 0x2f;
const STAR = 0x2a;
const HYPHEN = 0x2d;
const UPPER_A = 0x41;
const UPPER_Z = 0x5a;
const LOWER_H = 0x68;
const ZERO = 0x30;
const HTTP = fourBytes("HTTP");
const VERSION_1 = fourBytes("/1.x") & ~0xff;
const { CONNECT, OTHER } = Method;

/**
 * Position in METHODS of the request line at `at`, -1 without one. `end` may lie behind the line; of a line that does not
 * end before it the version is not seen, so that its method has to be a common one, unless a request is `due` by what came
 * before: then any word in capitals is a method.
 */
export function methodAt(view: DataView, at: number, end: number, due = false): number {
  if (end - at < MIN_LENGTH) return -1;
  const found = STARTS.find(view.getInt32(at));
  if (found < 0 && !due) return -1;
  const method = found < 0 || found > OTHER ? OTHER : found;
  const length = method === OTHER ? tokenLength(view, at) : (METHOD_LENGTHS[method] as number);
  if (length === 0 || at + length + 1 >= end || view.getUint8(at + length) !== SPACE) return -1;
  const target = view.getUint8(at + length + 1);
  const isTarget = target === SLASH || target === STAR || target === LOWER_H || method === CONNECT;
  if (!isTarget) return -1;
  const lineEnd = lineFeedAt(view, at, Math.min(end, at + LINE_LOOK));
  if (lineEnd < 0) return due || method !== OTHER ? method : -1;
  return holdsVersion(view, at, lineEnd) ? method : -1;
}

/** Status of the status line at `at` (RFC 9112 §4), -1 without one. `end` may lie behind the line. */
export function statusAt(view: DataView, at: number, end: number): number {
  if (end - at < MIN_LENGTH) return -1;
  if (view.getInt32(at) !== HTTP || (view.getInt32(at + 4) & ~0xff) !== VERSION_1) return -1;
  if (view.getUint8(at + STATUS_AT - 1) !== SPACE) return -1;
  const code = end - at > MIN_LENGTH ? replyCode(view, at + STATUS_AT, end) : bareCode(view, at);
  return code < 600 ? code : -1;
}

/** Where a field's value starts, behind the name and the white space after it. */
export function valueAt(view: DataView, at: number, end: number): number {
  let from = at;
  while (from < end && isSpace(view.getUint8(from))) from++;
  return from;
}

/** Where a line ends without its carriage return and white space. */
export function trimmedEnd(view: DataView, at: number, end: number): number {
  let to = end;
  while (to > at && (isSpace(view.getUint8(to - 1)) || view.getUint8(to - 1) === CR)) to--;
  return to;
}

/** A decimal number, -1 where there is none or it is 2^30 or more. */
export function decimalAt(view: DataView, at: number, end: number): number {
  let value = -1;
  for (let i = at; i < end && isDigit(view.getUint8(i)); i++) {
    value = Math.max(value, 0) * 10 + view.getUint8(i) - ZERO;
    if (value >= 0x40000000) return -1;
  }
  return value;
}

/** The hexadecimal number of a chunk (RFC 9112 §7.1), -1 where there is none or it is 2^28 or more. */
export function hexadecimalAt(view: DataView, at: number, end: number): number {
  let value = -1;
  for (let i = at; i < end; i++) {
    const digit = hexDigit(view.getUint8(i));
    if (digit < 0) break;
    value = Math.max(value, 0) * 16 + digit;
    if (value >= 0x10000000) return -1;
  }
  return value;
}

function hexDigit(byte: number): number {
  if (isDigit(byte)) return byte - ZERO;
  const letter = (byte & 0xdf) - UPPER_A;
  return letter >= 0 && letter < 6 ? letter + 10 : -1;
}

/** Length of a word in capitals, 0 for what no method is. The caller has checked MIN_LENGTH. */
function tokenLength(view: DataView, at: number): number {
  const last = Math.min(MIN_LENGTH, LONGEST_METHOD);
  let length = 0;
  while (length < last && isCapital(view.getUint8(at + length))) length++;
  return length >= 3 && length < last ? length : 0;
}

function isCapital(byte: number): boolean {
  return (byte >= UPPER_A && byte <= UPPER_Z) || byte === HYPHEN;
}

function isSpace(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

function holdsVersion(view: DataView, at: number, lineEnd: number): boolean {
  const hasReturn = view.getUint8(lineEnd - 1) === CR;
  const from = lineEnd - VERSION_LENGTH + (hasReturn ? 0 : 1);
  if (from <= at) return false;
  return view.getInt32(from) === HTTP && (view.getInt32(from + 4) & ~0xff) === VERSION_1;
}

/** Status of a line that ends with it. */
function bareCode(view: DataView, at: number): number {
  return decimalAt(view, at + STATUS_AT, at + MIN_LENGTH);
}
