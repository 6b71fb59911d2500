// SPDX-License-Identifier: AGPL-3.0-or-later
import { METHODS } from "../http-line.ts";

/** What a field's name says, as far as anybody asks. */
export const Name = { OTHER: 0, METHOD: 1, STATUS: 2, HOST: 3, USER_AGENT: 4, UNKNOWN: 5 } as const;
const NAMES: Readonly<Record<string, number>> = {
  ":method": Name.METHOD,
  ":status": Name.STATUS,
  ":authority": Name.HOST,
  host: Name.HOST,
  "user-agent": Name.USER_AGENT,
};
const METHOD_TEXTS = METHODS.map((method) => Buffer.from(method.toUpperCase()));
const OTHER_METHOD = METHODS.length - 1;
const ZERO = 0x30;

/** RFC 7541 Appendix A, from index 1 on; the value behind a `=`. */
const FIELDS: readonly string[] = [
  ...[":authority", ":method=GET", ":method=POST", ":path=/", ":path=/index.html"],
  ...[":scheme=http", ":scheme=https", ":status=200", ":status=204", ":status=206"],
  ...[":status=304", ":status=400", ":status=404", ":status=500", "accept-charset"],
  ...["accept-encoding=gzip, deflate", "accept-language", "accept-ranges", "accept"],
  ...["access-control-allow-origin", "age", "allow", "authorization", "cache-control"],
  ...["content-disposition", "content-encoding", "content-language", "content-length"],
  ...["content-location", "content-range", "content-type", "cookie", "date", "etag", "expect"],
  ...["expires", "from", "host", "if-match", "if-modified-since", "if-none-match", "if-range"],
  ...["if-unmodified-since", "last-modified", "link", "location", "max-forwards"],
  ...["proxy-authenticate", "proxy-authorization", "range", "referer", "refresh", "retry-after"],
  ...["server", "set-cookie", "strict-transport-security", "transfer-encoding", "user-agent"],
  ...["vary", "via", "www-authenticate"],
];

export interface StaticField {
  /** A Name. */
  readonly name: number;
  readonly nameLength: number;
  /** Position in METHODS or a status; 0 for other fields. */
  readonly value: number;
}

/** The fields that both sides know from the start; the first one has index 1. */
export const STATIC_FIELDS: readonly StaticField[] = FIELDS.map((field) => {
  const [name = "", text = ""] = field.split("=");
  const kind = NAMES[name] ?? Name.OTHER;
  return {
    name: kind,
    nameLength: name.length,
    value: numberOf(kind, Buffer.from(text), 0, text.length),
  };
});

const NAME_TEXTS = Object.entries(NAMES).map(
  ([text, name]) => ({ bytes: Buffer.from(text), name }) as const,
);

const NAME_LENGTHS = NAME_TEXTS.map(({ bytes }) => bytes.length);
const SHORTEST_NAME = Math.min(...NAME_LENGTHS);
const LONGEST_NAME = Math.max(...NAME_LENGTHS);

/** The Name that `[at, at + length)` spells. */
export function nameOf(bytes: Uint8Array, at: number, length: number): number {
  if (length < SHORTEST_NAME || length > LONGEST_NAME) return Name.OTHER;
  for (let i = 0; i < NAME_TEXTS.length; i++) {
    const text = NAME_TEXTS[i] as (typeof NAME_TEXTS)[number];
    if (isText(bytes, at, length, text.bytes)) return text.name;
  }
  return Name.OTHER;
}

/** The number that is kept of a method or status; 0 of a status that is none, and of other fields. */
export function numberOf(name: number, bytes: Uint8Array, at: number, length: number): number {
  if (name === Name.METHOD) return methodOf(bytes, at, length);
  return name === Name.STATUS ? statusOf(bytes, at, length) : 0;
}

function methodOf(bytes: Uint8Array, at: number, length: number): number {
  for (let i = 0; i < OTHER_METHOD; i++) {
    if (isText(bytes, at, length, METHOD_TEXTS[i] as Uint8Array)) return i;
  }
  return OTHER_METHOD;
}

/** Three digits (RFC 9113 §8.3.2), the first of them a class (RFC 9110 §15). */
function statusOf(bytes: Uint8Array, at: number, length: number): number {
  if (length !== 3) return 0;
  let status = 0;
  for (let i = at; i < at + length; i++) {
    const digit = (bytes[i] as number) - ZERO;
    if (digit < 0 || digit > 9) return 0;
    status = status * 10 + digit;
  }
  return status >= 100 && status < 600 ? status : 0;
}

function isText(bytes: Uint8Array, at: number, length: number, text: Uint8Array): boolean {
  if (length !== text.length) return false;
  for (let i = 0; i < length; i++) if (bytes[at + i] !== text[i]) return false;
  return true;
}
