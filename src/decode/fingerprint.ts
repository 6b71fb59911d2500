// SPDX-License-Identifier: AGPL-3.0-or-later
import { hash } from "node:crypto";
import { type ClientHello, ExtensionType } from "./client-hello.ts";
import type { ServerHello } from "./server-hello.ts";

/** Clients offer few different lists: their hashes are kept, and forgotten together when this many were seen. */
const MAX_KEPT = 1024;
const JA4_HASH_LENGTH = 12;
const JA4_EMPTY = "000000000000";
const JA4_MAX_COUNT = 99;

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

/** Computes JA3 and JA4 of ClientHellos, and JA3S of ServerHellos. JA4: Copyright (c) 2023, FoxIO, BSD 3-Clause; see NOTICE. */
export class Fingerprinter {
  readonly #kept = new Map<string, string>();

  /** https://github.com/salesforce/ja3: MD5 over version, ciphers, extensions, groups and point formats. */
  ja3(hello: ClientHello): string {
    const text = [
      hello.legacyVersion,
      hello.ciphers.join("-"),
      hello.extensions.join("-"),
      hello.groups.join("-"),
      hello.pointFormats.join("-"),
    ].join(",");
    return this.#hash("md5", text);
  }

  /** The same source: MD5 over version, cipher and extensions of a ServerHello. */
  ja3s(hello: ServerHello): string {
    return this.#hash(
      "md5",
      `${hello.legacyVersion},${hello.cipher},${hello.extensions.join("-")}`,
    );
  }

  /** https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md; `view` holds the hello's ALPN bytes. */
  ja4(hello: ClientHello, view: DataView, transport: Ja4Transport): string {
    const { ciphers, extensions } = hello;
    const named = extensions.includes(ExtensionType.SERVER_NAME) ? "d" : "i";
    const version = JA4_VERSIONS.get(hello.version) ?? "00";
    const counts = twoDigits(ciphers.length) + twoDigits(extensions.length);
    const a = `${transport}${version}${named}${counts}${alpnCharacters(hello, view)}`;
    return `${a}_${this.ja4Ciphers(hello)}_${this.#ja4Extensions(hello)}`;
  }

  /** The second part of a JA4, over the sorted ciphers: it stays the same when padding or resumption do not. */
  ja4Ciphers(hello: ClientHello): string {
    return hello.ciphers.length === 0 ? JA4_EMPTY : this.#ja4Hash(sortedHex(hello.ciphers));
  }

  #ja4Extensions(hello: ClientHello): string {
    if (hello.extensions.length === 0) return JA4_EMPTY;
    const sorted = sortedHex(hello.extensions.filter(isHashedExtension));
    const algorithms = hello.signatureAlgorithms.map(hex4).join(",");
    return this.#ja4Hash(algorithms === "" ? sorted : `${sorted}_${algorithms}`);
  }

  #ja4Hash(text: string): string {
    return this.#hash("sha256", text).slice(0, JA4_HASH_LENGTH);
  }

  #hash(algorithm: "md5" | "sha256", text: string): string {
    const key = algorithm + text;
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    const value = hash(algorithm, text);
    this.#kept.set(key, value);
    return value;
  }
}

/** JA4 leaves out server_name and ALPN, which its first part tells already. */
function isHashedExtension(type: number): boolean {
  return type !== ExtensionType.SERVER_NAME && type !== ExtensionType.ALPN;
}

function sortedHex(numbers: readonly number[]): string {
  return Array.from(Uint16Array.from(numbers).sort(), hex4).join(",");
}

function hex4(value: number): string {
  return value.toString(16).padStart(4, "0");
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
