// SPDX-License-Identifier: AGPL-3.0-or-later
// The header fields of HTTP/1.x that decide where a message ends, and those that trackers ask for.
import { decimalAt, trimmedEnd, valueAt } from "./http-line.ts";
import { ascii, holdsWord, isDigit, startsWith } from "./text-line.ts";

/** What a field tells, as bits; those of agents are in agents/agent-field.ts. */
export const Field = {
  NONE: 0,
  LENGTH: 1,
  CHUNKED: 2,
  WEBSOCKET: 4,
  HTTP2: 8,
  UPGRADE: 16,
  HOST: 32,
  USER_AGENT: 64,
  /** The host is an address, not a name; or Google's name for its metadata service. */
  ADDRESS_HOST: 0x80,
  METADATA_HOST: 0x100,
  /** A user agent of Ollama's own programs and libraries. */
  OLLAMA: 0x200,
} as const;

const CONTENT_LENGTH = ascii("CONTENT-LENGTH:");
const TRANSFER_ENCODING = ascii("TRANSFER-ENCODING:");
const UPGRADE = ascii("UPGRADE:");
const HOST = ascii("HOST:");
const USER_AGENT = ascii("USER-AGENT:");
const CHUNKED = ascii("CHUNKED");
const WEBSOCKET = ascii("WEBSOCKET");
const H2C = ascii("H2C");
const OLLAMA = ascii("OLLAMA");
const GOOGLE_METADATA = ascii("METADATA.GOOGLE.INTERNAL");
const UPPER_MASK = 0xdf;
const LETTER_C = 0x43;
const LETTER_H = 0x48;
const LETTER_T = 0x54;
const LETTER_U = 0x55;
const OPEN_BRACKET = 0x5b;
const DOT = 0x2e;
const COLON = 0x3a;
const SPACE = 0x20;

/** What the field line in `[at, end)` tells: bits of Field. */
export function fieldOf(view: DataView, at: number, end: number): number {
  if (end <= at) return Field.NONE;
  switch (view.getUint8(at) & UPPER_MASK) {
    case LETTER_C:
      return startsWith(view, at, end, CONTENT_LENGTH) ? Field.LENGTH : Field.NONE;
    case LETTER_H:
      return startsWith(view, at, end, HOST) ? hostField(view, at, end) : Field.NONE;
    case LETTER_T:
      return isChunked(view, at, end) ? Field.CHUNKED : Field.NONE;
    case LETTER_U:
      return upgradeOrAgent(view, at, end);
    default:
      return Field.NONE;
  }
}

/** The number of a Content-Length line, -1 where it has none that is believed. */
export function contentLength(view: DataView, at: number, end: number): number {
  return decimalAt(view, valueAt(view, at + CONTENT_LENGTH.length, end), end);
}

/** Where the value of a Host line starts. */
export function hostAt(view: DataView, at: number, end: number): number {
  return valueAt(view, at + HOST.length, end);
}

/** Where it ends. */
export function hostEnd(view: DataView, at: number, end: number): number {
  return trimmedEnd(view, at + HOST.length, end);
}

function hostField(view: DataView, at: number, end: number): number {
  const from = hostAt(view, at, end);
  if (from >= end) return Field.HOST;
  const first = view.getUint8(from);
  const isNumeric = first === OPEN_BRACKET || (isDigit(first) && isAddress(view, from, end));
  if (isNumeric) return Field.HOST | Field.ADDRESS_HOST;
  if (!startsWith(view, from, end, GOOGLE_METADATA)) return Field.HOST;
  const behind = from + GOOGLE_METADATA.length;
  const isWhole =
    behind >= end || view.getUint8(behind) === COLON || view.getUint8(behind) <= SPACE;
  return isWhole ? Field.HOST | Field.METADATA_HOST : Field.HOST;
}

/** True for digits and dots up to a port, or the end. */
function isAddress(view: DataView, from: number, end: number): boolean {
  for (let i = from; i < end; i++) {
    const byte = view.getUint8(i);
    if (isDigit(byte) || byte === DOT) continue;
    return byte === COLON || byte <= SPACE;
  }
  return true;
}

function isChunked(view: DataView, at: number, end: number): boolean {
  if (!startsWith(view, at, end, TRANSFER_ENCODING)) return false;
  return holdsWord(view, at + TRANSFER_ENCODING.length, end, CHUNKED);
}

function upgradeOrAgent(view: DataView, at: number, end: number): number {
  if (startsWith(view, at, end, USER_AGENT)) {
    const isOllama = startsWith(view, valueAt(view, at + USER_AGENT.length, end), end, OLLAMA);
    return isOllama ? Field.USER_AGENT | Field.OLLAMA : Field.USER_AGENT;
  }
  if (!startsWith(view, at, end, UPGRADE)) return Field.NONE;
  const from = at + UPGRADE.length;
  if (holdsWord(view, from, end, WEBSOCKET)) return Field.WEBSOCKET;
  return holdsWord(view, from, end, H2C) ? Field.HTTP2 : Field.UPGRADE;
}
