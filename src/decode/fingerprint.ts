// SPDX-License-Identifier: AGPL-3.0-or-later
import { u16 } from "../util/typed.ts";
import { type ClientHello, ExtensionType } from "./client-hello.ts";
import { HashedText } from "./hashed-text.ts";
import { NumberList } from "./number-list.ts";
import { NumberSorter } from "./number-sorter.ts";
import type { ServerHello } from "./server-hello.ts";

const COMMA = 0x2c;
const DASH = 0x2d;
const UNDERSCORE = 0x5f;
/**
 * Numbers in all lists of a hello together that are fingerprinted: five times what browsers list. How long sorting and hashing
 * take must not be the sender's choice: a hello of this length takes no more than three times as long as a usual one.
 */
export const MAX_FINGERPRINTED = 256;
/** Five digits and what comes before them, for each number and for the version. */
const MAX_TEXT_BYTES = 6 * (MAX_FINGERPRINTED + 8);
const JA4_HASH_LENGTH = 12;
const JA4_EMPTY = "000000000000";
const JA4_MAX_COUNT = 99;
const { SERVER_NAME, ALPN } = ExtensionType;

/** JA4 names of TLS versions; `00` for any other. DTLS ones belong to the same list. */
const JA4_VERSIONS: ReadonlyMap<number, string> = new Map([
  [0x0304, "13"],
  [0x0303, "12"],
  [0x0302, "11"],
  [0x0301, "10"],
  [0x0300, "s3"],
  [0x0002, "s2"],
  [0xfeff, "d1"],
  [0xfefd, "d2"],
  [0xfefc, "d3"],
]);

/** First letter of a JA4. */
export type Ja4Transport = "t" | "q" | "d";

/** Computes JA3 and JA4 of ClientHellos that list no more than MAX_FINGERPRINTED numbers, and JA3S of ServerHellos. JA4: Copyright (c) 2023, FoxIO, BSD 3-Clause; see NOTICE. */
export class Fingerprinter {
  readonly #md5 = new HashedText("md5", MAX_TEXT_BYTES);
  readonly #sha256 = new HashedText("sha256", MAX_TEXT_BYTES);
  readonly #sorted = new NumberList(MAX_FINGERPRINTED);
  readonly #sorter = new NumberSorter(MAX_FINGERPRINTED);

  /** https://github.com/salesforce/ja3: MD5 over version, ciphers, extensions, groups and point formats. */
  ja3(hello: ClientHello): string {
    const text = this.#md5;
    text.decimal(hello.legacyVersion);
    text.literal(COMMA);
    text.decimals(hello.ciphers, DASH);
    text.literal(COMMA);
    text.decimals(hello.extensions, DASH);
    text.literal(COMMA);
    text.decimals(hello.groups, DASH);
    text.literal(COMMA);
    text.decimals(hello.pointFormats, DASH);
    return text.take();
  }

  /** The same source: MD5 over version, cipher and extensions of a ServerHello. */
  ja3s(hello: ServerHello): string {
    const text = this.#md5;
    text.decimal(hello.legacyVersion);
    text.literal(COMMA);
    text.decimal(hello.cipher);
    text.literal(COMMA);
    text.decimals(hello.extensions, DASH);
    return text.take();
  }

  /** https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md; `view` holds the hello's ALPN bytes. */
  ja4(hello: ClientHello, view: DataView, transport: Ja4Transport, ciphersHash: string): string {
    const { ciphers, extensions } = hello;
    const named = extensions.includes(SERVER_NAME) ? "d" : "i";
    const version = JA4_VERSIONS.get(hello.version) ?? "00";
    const counts = twoDigits(ciphers.length) + twoDigits(extensions.length);
    const a = `${transport}${version}${named}${counts}${alpnCharacters(hello, view)}`;
    return `${a}_${ciphersHash}_${this.#ja4Extensions(hello)}`;
  }

  /** The second part of a JA4, over the sorted ciphers: it stays the same when padding or resumption do not. */
  ja4Ciphers({ ciphers }: ClientHello): string {
    if (ciphers.length === 0) return JA4_EMPTY;
    const sorted = this.#sorted;
    sorted.clear();
    for (let i = 0; i < ciphers.length; i++) sorted.push(u16(ciphers.values, i));
    this.#sorter.sort(sorted);
    this.#sha256.hexes(sorted, COMMA);
    return this.#sha256.take().slice(0, JA4_HASH_LENGTH);
  }

  #ja4Extensions({ extensions, signatureAlgorithms }: ClientHello): string {
    if (extensions.length === 0) return JA4_EMPTY;
    const text = this.#sha256;
    const sorted = this.#sorted;
    sorted.clear();
    for (let i = 0; i < extensions.length; i++) {
      const type = u16(extensions.values, i);
      // The first part tells of these already.
      if (type !== SERVER_NAME && type !== ALPN) sorted.push(type);
    }
    this.#sorter.sort(sorted);
    text.hexes(sorted, COMMA);
    if (signatureAlgorithms.length > 0) {
      text.literal(UNDERSCORE);
      text.hexes(signatureAlgorithms, COMMA);
    }
    return text.take().slice(0, JA4_HASH_LENGTH);
  }
}

function twoDigits(count: number): string {
  return String(Math.min(count, JA4_MAX_COUNT)).padStart(2, "0");
}

/** First and last character of the first ALPN name; of its hexadecimal form where one is not alphanumeric. */
function alpnCharacters(hello: ClientHello, view: DataView): string {
  const { alpnAt, alpnLength } = hello;
  if (alpnLength === 0) return "00";
  const first = view.getUint8(alpnAt);
  const last = view.getUint8(alpnAt + alpnLength - 1);
  if (isAlphanumeric(first) && isAlphanumeric(last)) return String.fromCharCode(first, last);
  return (first >>> 4).toString(16) + (last & 15).toString(16);
}

function isAlphanumeric(byte: number): boolean {
  const letter = byte | 0x20;
  return (byte >= 0x30 && byte <= 0x39) || (letter >= 0x61 && letter <= 0x7a);
}
