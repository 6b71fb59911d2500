// SPDX-License-Identifier: AGPL-3.0-or-later
// The header fields of HTTP/1.x that tell agents, language models and metadata services. Values are looked at, not kept.
import { decimalAt, valueAt } from "../http-line.ts";
import { ascii, fourLetters, holdsWord, startsWith, UPPER_MASK_4 } from "../text-line.ts";
import { fourBytes } from "../wire-text.ts";

/** What a field tells, as bits beside those of Field (http-field.ts). */
export const AgentField = {
  NONE: 0,
  /** `MCP-Protocol-Version` or `Mcp-Session-Id`; MCP_2026 with a version of 2026 or later. */
  MCP: 0x400,
  MCP_2026: 0x800,
  MCP_METHOD: 0x1000,
  MCP_NAME: 0x2000,
  A2A: 0x4000,
  /** `anthropic-version`. */
  ANTHROPIC: 0x8000,
  /** `Authorization`, `x-api-key`, `api-key` or a cookie: whatever its value is. */
  AUTH: 0x10000,
  /** Content types: JSON, server-sent events, JSON in lines. */
  JSON: 0x20000,
  EVENTS: 0x40000,
  NDJSON: 0x80000,
  /** `Accept` begins with server-sent events; or it names JSON and these. */
  ACCEPT_EVENTS: 0x100000,
  ACCEPT_BOTH: 0x200000,
  /** A header that metadata services ask for, so that nobody is made to fetch from them unawares. */
  METADATA_TOKEN: 0x400000,
} as const;
const { MCP, MCP_2026, A2A: OF_A2A, AUTH } = AgentField;
const { ACCEPT_EVENTS, ACCEPT_BOTH } = AgentField;

const TYPE = ascii("CONTENT-TYPE:");
const AUTHORIZATION = ascii("AUTHORIZATION:");
const ANTHROPIC = ascii("ANTHROPIC-VERSION:");
const A2A = ascii("A2A-VERSION:");
const API_KEY = ascii("API-KEY:");
const X_API_KEY = ascii("X-API-KEY:");
const AWS_TOKEN = ascii("X-AWS-EC2-METADATA-TOKEN");
/** Google's `Metadata-Flavor` and Azure's `Metadata`. */
const METADATA = ascii("METADATA");
const MCP_VERSION = ascii("MCP-PROTOCOL-VERSION:");
const MCP_SESSION = ascii("MCP-SESSION-ID:");
const MCP_METHOD = ascii("MCP-METHOD:");
const MCP_NAME = ascii("MCP-NAME:");
const JSON_TYPE = ascii("APPLICATION/JSON");
const A2A_JSON_TYPE = ascii("APPLICATION/A2A+JSON");
const NDJSON_TYPE = ascii("APPLICATION/X-NDJSON");
const EVENTS_TYPE = ascii("TEXT/EVENT-STREAM");
/** The first year whose versions of MCP have no handshake. */
const MCP_2026_YEAR = 2026;
/** The shortest name, and where a second look at one tells most. */
const SHORTEST = 8;
const COLON_OF_ACCEPT_AT = 6;
const COOKIE = "cookie".length;
const UPPER_MASK = 0xdf;
const COLON = 0x3a;
const LETTER_A = 0x41;
const LETTER_C = 0x43;
const LETTER_M = 0x4d;
const LETTER_N = 0x4e;
const LETTER_P = 0x50;
const LETTER_U = 0x55;
const LETTER_W = 0x57;
const LETTER_X = 0x58;
const TWO = 0x32 & UPPER_MASK;
const NOTHING = AgentField.NONE;
/** As `fourLetters` reads them: how names and values begin, decided at one look where nearly all end. */
const word = (text: string): number => fourBytes(text) & UPPER_MASK_4;
const ACCE = word("ACCE");
const COOK = word("COOK");
const CONT = word("CONT");
const APPL = word("APPL");
const TEXT = word("TEXT");
/** Behind `text`. */
const EVENTS_WORD = word("/EVE");
/** Bytes of a value that are looked at first. */
const LOOK = 8;

/** What the field line in `[at, end)` tells: bits of AgentField. Other fields are left at their first letters. */
export function agentFieldOf(view: DataView, at: number, end: number): number {
  if (end - at < SHORTEST) return NOTHING;
  switch (view.getUint8(at) & UPPER_MASK) {
    case LETTER_A:
      return fieldOfA(view, at, end);
    case LETTER_C:
      return fieldOfC(view, at, end);
    case LETTER_M:
      return fieldOfM(view, at, end);
    case LETTER_X:
      return fieldOfX(view, at, end);
    default:
      return NOTHING;
  }
}

/** Where the value of a field starts, behind the colon of its name and white space; `end` without one. */
export function fieldValueAt(view: DataView, at: number, end: number): number {
  let colon = at;
  while (colon < end && view.getUint8(colon) !== COLON) colon++;
  return valueAt(view, Math.min(colon + 1, end), end);
}

function fieldOfA(view: DataView, at: number, end: number): number {
  switch (view.getUint8(at + 1) & UPPER_MASK) {
    case LETTER_C:
      return view.getUint8(at + COLON_OF_ACCEPT_AT) === COLON ? accept(view, at, end) : NOTHING;
    case LETTER_U:
      return startsWith(view, at, end, AUTHORIZATION) ? AUTH : NOTHING;
    case LETTER_N:
      return startsWith(view, at, end, ANTHROPIC) ? AgentField.ANTHROPIC : NOTHING;
    case LETTER_P:
      return startsWith(view, at, end, API_KEY) ? AUTH : NOTHING;
    case TWO:
      return startsWith(view, at, end, A2A) ? OF_A2A : NOTHING;
    default:
      return NOTHING;
  }
}

/** Browsers begin with `text/html`, and are read no further. */
function accept(view: DataView, at: number, end: number): number {
  const from = valueAt(view, at + COLON_OF_ACCEPT_AT + 1, end);
  if (fourLetters(view, at) !== ACCE || end - from < LOOK) return NOTHING;
  const first = fourLetters(view, from);
  if (first === TEXT) {
    if (fourLetters(view, from + 4) !== EVENTS_WORD) return NOTHING;
    if (!startsWith(view, from, end, EVENTS_TYPE)) return NOTHING;
    const isBoth = holdsWord(view, from + EVENTS_TYPE.length, end, JSON_TYPE);
    return isBoth ? ACCEPT_BOTH : ACCEPT_EVENTS;
  }
  if (first !== APPL || !startsWith(view, from, end, JSON_TYPE)) return NOTHING;
  const isBoth = holdsWord(view, from + JSON_TYPE.length, end, EVENTS_TYPE);
  return isBoth ? ACCEPT_BOTH : NOTHING;
}

function fieldOfC(view: DataView, at: number, end: number): number {
  const first = fourLetters(view, at);
  if (first === COOK) return view.getUint8(at + COOKIE) === COLON ? AUTH : NOTHING;
  if (first !== CONT || !startsWith(view, at, end, TYPE)) return NOTHING;
  const from = valueAt(view, at + TYPE.length, end);
  if (startsWith(view, from, end, EVENTS_TYPE)) return AgentField.EVENTS;
  if (startsWith(view, from, end, JSON_TYPE)) return AgentField.JSON;
  if (startsWith(view, from, end, NDJSON_TYPE)) return AgentField.NDJSON;
  return startsWith(view, from, end, A2A_JSON_TYPE) ? AgentField.JSON : NOTHING;
}

function fieldOfM(view: DataView, at: number, end: number): number {
  if (startsWith(view, at, end, METADATA)) return AgentField.METADATA_TOKEN;
  if (startsWith(view, at, end, MCP_VERSION)) {
    const year = decimalAt(view, valueAt(view, at + MCP_VERSION.length, end), end);
    return year >= MCP_2026_YEAR ? MCP | MCP_2026 : MCP;
  }
  if (startsWith(view, at, end, MCP_METHOD)) return AgentField.MCP_METHOD;
  if (startsWith(view, at, end, MCP_NAME)) return AgentField.MCP_NAME;
  return startsWith(view, at, end, MCP_SESSION) ? MCP : NOTHING;
}

function fieldOfX(view: DataView, at: number, end: number): number {
  if ((view.getUint8(at + 2) & UPPER_MASK) !== LETTER_A) return NOTHING;
  if ((view.getUint8(at + 3) & UPPER_MASK) === LETTER_W) {
    return startsWith(view, at, end, AWS_TOKEN) ? AgentField.METADATA_TOKEN : NOTHING;
  }
  return startsWith(view, at, end, X_API_KEY) ? AUTH : NOTHING;
}
