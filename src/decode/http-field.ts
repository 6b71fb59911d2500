// SPDX-License-Identifier: AGPL-3.0-or-later
// The header fields of HTTP/1.x that decide where a message ends, whose it is, and those that trackers ask for.
import { decimalAt, trimmedEnd, valueAt } from "./http-line.ts";
import { ascii, fourLetters, holdsWord, isDigit, startsWith, UPPER_MASK_4 } from "./text-line.ts";
import { WordTable } from "./word-table.ts";

/** What a field tells, as bits. */
export const Field = {
  NONE: 0,
  LENGTH: 1,
  CHUNKED: 2,
  WEBSOCKET: 4,
  HTTP2: 8,
  UPGRADE: 16,
  HOST: 32,
  USER_AGENT: 64,
  /** `MCP-Protocol-Version` or `Mcp-Session-Id`; MCP_2026 with a version of 2026 or later. */
  MCP: 0x80,
  MCP_2026: 0x100,
  MCP_METHOD: 0x200,
  MCP_NAME: 0x400,
  A2A: 0x800,
  /** `anthropic-version`. */
  ANTHROPIC: 0x1000,
  /** `Authorization`, `x-api-key`, `api-key` or a cookie: whatever its value is. */
  AUTH: 0x2000,
  /** Content types: JSON, server-sent events, JSON in lines. */
  JSON: 0x4000,
  EVENTS: 0x8000,
  NDJSON: 0x10000,
  /** `Accept` begins with server-sent events; or it names JSON and these. */
  ACCEPT_EVENTS: 0x20000,
  ACCEPT_BOTH: 0x40000,
  /** The host is an address, not a name; or Google's name for its metadata service. */
  ADDRESS_HOST: 0x80000,
  METADATA_HOST: 0x100000,
  /** A header that metadata services ask for, so that nobody is made to fetch from them unawares. */
  METADATA_TOKEN: 0x200000,
  /** A user agent of Ollama's own programs and libraries. */
  OLLAMA: 0x400000,
} as const;

const LENGTH = ascii("CONTENT-LENGTH:");
const TYPE = ascii("CONTENT-TYPE:");
const TRANSFER_ENCODING = ascii("TRANSFER-ENCODING:");
const UPGRADE = ascii("UPGRADE:");
const HOST = ascii("HOST:");
const USER_AGENT = ascii("USER-AGENT:");
const ACCEPT = ascii("ACCEPT:");
const MCP_VERSION = ascii("MCP-PROTOCOL-VERSION:");
const MCP_SESSION = ascii("MCP-SESSION-ID:");
const MCP_METHOD = ascii("MCP-METHOD:");
const MCP_NAME = ascii("MCP-NAME:");
const CHUNKED = ascii("CHUNKED");
const WEBSOCKET = ascii("WEBSOCKET");
const H2C = ascii("H2C");
const JSON_TYPE = ascii("APPLICATION/JSON");
const A2A_JSON_TYPE = ascii("APPLICATION/A2A+JSON");
const NDJSON_TYPE = ascii("APPLICATION/X-NDJSON");
const EVENTS_TYPE = ascii("TEXT/EVENT-STREAM");
const OLLAMA = ascii("OLLAMA");
const GOOGLE_METADATA = ascii("METADATA.GOOGLE.INTERNAL");
/** Where `type` and `length` begin in the names of those fields. */
const CONTENT_KIND_AT = 8;
const LETTER_T = 0x54;
const UPPER_MASK = 0xdf;
const OPEN_BRACKET = 0x5b;
const DOT = 0x2e;
const COLON = 0x3a;
const SPACE = 0x20;
/** The first year whose versions of MCP have no handshake. */
const MCP_2026_YEAR = 2026;

/** Fields that tell by being there: their names, as far as they matter, and what they tell. */
const PRESENT: readonly (readonly [name: string, field: number])[] = [
  ["AUTHORIZATION:", Field.AUTH],
  ["COOKIE:", Field.AUTH],
  ["API-KEY:", Field.AUTH],
  ["X-API-KEY:", Field.AUTH],
  ["X-AWS-EC2-METADATA-TOKEN", Field.METADATA_TOKEN],
  ["METADATA", Field.METADATA_TOKEN],
  ["A2A-VERSION:", Field.A2A],
  ["ANTHROPIC-VERSION:", Field.ANTHROPIC],
];
const PRESENT_BYTES = PRESENT.map(([name]) => ascii(name));
const PRESENT_FIELDS = Int32Array.from(PRESENT, ([, field]) => field);
/** Fields whose value is looked at come first. */
const STARTS = ["CONT", "HOST", "USER", "TRAN", "UPGR", "ACCE", "MCP-"] as const;
const NAMES = new WordTable([...STARTS, ...PRESENT.map(([name]) => name)], UPPER_MASK_4);

/** What the field line in `[at, end)` tells: bits of Field. */
export function fieldOf(view: DataView, at: number, end: number): number {
  if (end - at < 4) return Field.NONE;
  const found = NAMES.find(fourLetters(view, at));
  switch (found) {
    case -1:
      return Field.NONE;
    case 0:
      return contentField(view, at, end);
    case 1:
      return hostField(view, at, end);
    case 2:
      return userAgent(view, at, end);
    case 3:
      return isChunked(view, at, end) ? Field.CHUNKED : Field.NONE;
    case 4:
      return upgrade(view, at, end);
    case 5:
      return acceptField(view, at, end);
    case 6:
      return mcpField(view, at, end);
    default:
      return present(view, at, end, found - STARTS.length);
  }
}

/** The number of a Content-Length line, -1 where it has none that is believed. */
export function contentLength(view: DataView, at: number, end: number): number {
  return decimalAt(view, valueAt(view, at + LENGTH.length, end), end);
}

/** Where the value of a Host line starts. */
export function hostAt(view: DataView, at: number, end: number): number {
  return valueAt(view, at + HOST.length, end);
}

/** Where it ends. */
export function hostEnd(view: DataView, at: number, end: number): number {
  return trimmedEnd(view, at + HOST.length, end);
}

/** Where the value of a field starts, behind the colon of its name and white space; `end` without one. */
export function fieldValueAt(view: DataView, at: number, end: number): number {
  let colon = at;
  while (colon < end && view.getUint8(colon) !== COLON) colon++;
  return valueAt(view, Math.min(colon + 1, end), end);
}

function present(view: DataView, at: number, end: number, index: number): number {
  const name = PRESENT_BYTES[index] as Uint8Array;
  return startsWith(view, at, end, name) ? (PRESENT_FIELDS[index] as number) : Field.NONE;
}

function contentField(view: DataView, at: number, end: number): number {
  if (end - at < TYPE.length) return Field.NONE;
  if ((view.getUint8(at + CONTENT_KIND_AT) & UPPER_MASK) !== LETTER_T) {
    return startsWith(view, at, end, LENGTH) ? Field.LENGTH : Field.NONE;
  }
  if (!startsWith(view, at, end, TYPE)) return Field.NONE;
  const from = valueAt(view, at + TYPE.length, end);
  if (startsWith(view, from, end, JSON_TYPE)) return Field.JSON;
  if (startsWith(view, from, end, EVENTS_TYPE)) return Field.EVENTS;
  if (startsWith(view, from, end, NDJSON_TYPE)) return Field.NDJSON;
  return startsWith(view, from, end, A2A_JSON_TYPE) ? Field.JSON : Field.NONE;
}

function hostField(view: DataView, at: number, end: number): number {
  if (!startsWith(view, at, end, HOST)) return Field.NONE;
  const from = hostAt(view, at, end);
  if (from >= end) return Field.HOST;
  const first = view.getUint8(from);
  if (first === OPEN_BRACKET) return Field.HOST | Field.ADDRESS_HOST;
  if (isDigit(first))
    return isAddress(view, from, end) ? Field.HOST | Field.ADDRESS_HOST : Field.HOST;
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

/** Browsers begin with `text/html`, and are read no further. */
function acceptField(view: DataView, at: number, end: number): number {
  if (!startsWith(view, at, end, ACCEPT)) return Field.NONE;
  const from = valueAt(view, at + ACCEPT.length, end);
  const rest = from + JSON_TYPE.length;
  if (startsWith(view, from, end, JSON_TYPE)) {
    return holdsWord(view, rest, end, EVENTS_TYPE) ? Field.ACCEPT_BOTH : Field.NONE;
  }
  if (!startsWith(view, from, end, EVENTS_TYPE)) return Field.NONE;
  return holdsWord(view, rest, end, JSON_TYPE) ? Field.ACCEPT_BOTH : Field.ACCEPT_EVENTS;
}

function mcpField(view: DataView, at: number, end: number): number {
  if (startsWith(view, at, end, MCP_VERSION)) {
    const year = decimalAt(view, valueAt(view, at + MCP_VERSION.length, end), end);
    return year >= MCP_2026_YEAR ? Field.MCP | Field.MCP_2026 : Field.MCP;
  }
  if (startsWith(view, at, end, MCP_METHOD)) return Field.MCP_METHOD;
  if (startsWith(view, at, end, MCP_NAME)) return Field.MCP_NAME;
  return startsWith(view, at, end, MCP_SESSION) ? Field.MCP : Field.NONE;
}

function isChunked(view: DataView, at: number, end: number): boolean {
  if (!startsWith(view, at, end, TRANSFER_ENCODING)) return false;
  return holdsWord(view, at + TRANSFER_ENCODING.length, end, CHUNKED);
}

function userAgent(view: DataView, at: number, end: number): number {
  if (!startsWith(view, at, end, USER_AGENT)) return Field.NONE;
  const from = valueAt(view, at + USER_AGENT.length, end);
  const isOllama = startsWith(view, from, end, OLLAMA);
  return isOllama ? Field.USER_AGENT | Field.OLLAMA : Field.USER_AGENT;
}

function upgrade(view: DataView, at: number, end: number): number {
  if (!startsWith(view, at, end, UPGRADE)) return Field.NONE;
  const from = at + UPGRADE.length;
  if (holdsWord(view, from, end, WEBSOCKET)) return Field.WEBSOCKET;
  return holdsWord(view, from, end, H2C) ? Field.HTTP2 : Field.UPGRADE;
}
