// SPDX-License-Identifier: AGPL-3.0-or-later
import { NumberList } from "./number-list.ts";
import { Stop } from "./protocol.ts";
import { isGrease, readBytes, readPairs, readVector } from "./tls-vectors.ts";
import { WireText } from "./wire-text.ts";

/** Offsets in the handshake message (RFC 8446 §4, §4.1.2): type, length, version, random, session id … */
const VERSION_AT = 4;
const SESSION_ID_AT = 38;
const EXTENSION_HEADER_LENGTH = 4;

/** Numbers of the extensions that are read, and of those that JA4 treats apart. */
export const ExtensionType = {
  SERVER_NAME: 0,
  SUPPORTED_GROUPS: 10,
  POINT_FORMATS: 11,
  SIGNATURE_ALGORITHMS: 13,
  ALPN: 16,
  SESSION_TICKET: 35,
  PRE_SHARED_KEY: 41,
  EARLY_DATA: 42,
  SUPPORTED_VERSIONS: 43,
  ENCRYPTED_CLIENT_HELLO: 0xfe0d,
} as const;

/** Numbers in one list, more than there are cipher suites. */
const MAX_LISTED = 512;
const DTLS_VERSIONS = 0xfe00;
const HOST_NAME = 0;
const MAX_NAME_BYTES = 255;
const NO_SPECIAL = -1;

/** What a ClientHello offers, in wire order and without GREASE. One object, valid until the next hello. */
export interface ClientHello {
  legacyVersion: number;
  /** Highest version offered: of supported_versions where there is any, else the legacy one. */
  version: number;
  readonly ciphers: NumberList;
  readonly extensions: NumberList;
  readonly groups: NumberList;
  readonly pointFormats: NumberList;
  readonly signatureAlgorithms: NumberList;
  /** Host name in server_name, lower case and escaped; empty without one. */
  serverName: string;
  /** The first name that ALPN offers: where it is in the view, and its length, 0 without one. */
  alpnAt: number;
  alpnLength: number;
  /** True where the client brings a session ticket that is not empty. */
  hasTicket: boolean;
}

/** Reads ClientHello messages. Every length is checked against the field around it before it is used. */
export class ClientHelloReader {
  readonly hello: ClientHello = {
    legacyVersion: 0,
    version: 0,
    ciphers: new NumberList(MAX_LISTED),
    extensions: new NumberList(MAX_LISTED),
    groups: new NumberList(MAX_LISTED),
    pointFormats: new NumberList(MAX_LISTED),
    signatureAlgorithms: new NumberList(MAX_LISTED),
    serverName: "",
    alpnAt: -1,
    alpnLength: 0,
    hasTicket: false,
  };
  readonly #text = new WireText(MAX_NAME_BYTES);

  /**
   * Reads the handshake message `[at, end)`, which lies whole in `view`, into `hello`. Returns DONE, MALFORMED,
   * or UNSUPPORTED for lists longer than any client sends. In DTLS a cookie stands before the ciphers (RFC 6347
   * §4.2.1).
   */
  read(view: DataView, at: number, end: number, isDtls = false): number {
    this.#reset();
    const sessionIdAt = at + SESSION_ID_AT;
    if (sessionIdAt + 1 > end) return Stop.MALFORMED;
    this.hello.legacyVersion = view.getUint16(at + VERSION_AT);
    this.hello.version = this.hello.legacyVersion;
    let ciphersAt = sessionIdAt + 1 + view.getUint8(sessionIdAt);
    if (isDtls) {
      if (ciphersAt + 1 > end) return Stop.MALFORMED;
      ciphersAt += 1 + view.getUint8(ciphersAt);
    }
    if (ciphersAt + 2 > end) return Stop.MALFORMED;
    const compressionAt = ciphersAt + 2 + view.getUint16(ciphersAt);
    if (compressionAt + 1 > end) return Stop.MALFORMED;
    const stop = readPairs(view, ciphersAt + 2, compressionAt, this.hello.ciphers);
    if (stop !== Stop.DONE) return stop;
    const extensionsAt = compressionAt + 1 + view.getUint8(compressionAt);
    // RFC 5246 §7.4.1.2: a hello may end here.
    if (extensionsAt === end) return Stop.DONE;
    if (extensionsAt + 2 > end) return Stop.MALFORMED;
    const extensionsEnd = extensionsAt + 2 + view.getUint16(extensionsAt);
    if (extensionsEnd > end) return Stop.MALFORMED;
    return this.#extensions(view, extensionsAt + 2, extensionsEnd);
  }

  /** The first name that ALPN offers, lower case and escaped; `view` is the one that was read. */
  alpn(view: DataView): string {
    this.#text.append(view, this.hello.alpnAt, this.hello.alpnLength, NO_SPECIAL);
    return this.#text.take();
  }

  #reset(): void {
    const { hello } = this;
    hello.ciphers.clear();
    hello.extensions.clear();
    hello.groups.clear();
    hello.pointFormats.clear();
    hello.signatureAlgorithms.clear();
    hello.serverName = "";
    hello.alpnAt = -1;
    hello.alpnLength = 0;
    hello.hasTicket = false;
  }

  #extensions(view: DataView, from: number, end: number): number {
    const { extensions } = this.hello;
    let at = from;
    while (at < end) {
      if (at + EXTENSION_HEADER_LENGTH > end) return Stop.MALFORMED;
      const type = view.getUint16(at);
      const bodyAt = at + EXTENSION_HEADER_LENGTH;
      at = bodyAt + view.getUint16(at + 2);
      if (at > end) return Stop.MALFORMED;
      if (isGrease(type)) continue;
      if (extensions.isFull) return Stop.UNSUPPORTED;
      extensions.push(type);
      const stop = this.#body(type, view, bodyAt, at);
      if (stop !== Stop.DONE) return stop;
    }
    return Stop.DONE;
  }

  #body(type: number, view: DataView, at: number, end: number): number {
    const { hello } = this;
    switch (type) {
      case ExtensionType.SERVER_NAME:
        return this.#serverName(view, at, end);
      case ExtensionType.SUPPORTED_GROUPS:
        return readVector(view, at, end, hello.groups);
      case ExtensionType.POINT_FORMATS:
        return readBytes(view, at, end, hello.pointFormats);
      case ExtensionType.SIGNATURE_ALGORITHMS:
        return readVector(view, at, end, hello.signatureAlgorithms);
      case ExtensionType.ALPN:
        return this.#alpn(view, at, end);
      case ExtensionType.SESSION_TICKET:
        hello.hasTicket = at < end;
        return Stop.DONE;
      case ExtensionType.SUPPORTED_VERSIONS:
        return this.#versions(view, at, end);
      default:
        return Stop.DONE;
    }
  }

  /** RFC 6066 §3: a list of typed names, of which clients send one host name. An empty body is tolerated. */
  #serverName(view: DataView, at: number, end: number): number {
    if (at === end) return Stop.DONE;
    const nameAt = at + 5;
    if (nameAt > end) return Stop.MALFORMED;
    if (view.getUint8(at + 2) !== HOST_NAME) return Stop.DONE;
    const length = view.getUint16(at + 3);
    if (nameAt + length > end) return Stop.MALFORMED;
    this.#text.append(view, nameAt, Math.min(length, MAX_NAME_BYTES), NO_SPECIAL);
    this.hello.serverName = this.#text.take();
    return Stop.DONE;
  }

  /** RFC 7301 §3.1. */
  #alpn(view: DataView, at: number, end: number): number {
    if (end - at < 3) return end - at === 2 ? Stop.DONE : Stop.MALFORMED;
    const length = view.getUint8(at + 2);
    if (at + 3 + length > end) return Stop.MALFORMED;
    this.hello.alpnAt = at + 3;
    this.hello.alpnLength = length;
    return Stop.DONE;
  }

  /** RFC 8446 §4.2.1: versions in two bytes each, after a length of one byte. */
  #versions(view: DataView, at: number, end: number): number {
    if (at + 1 > end || at + 1 + view.getUint8(at) > end) return Stop.MALFORMED;
    const listEnd = at + 1 + view.getUint8(at);
    const { hello } = this;
    let highest = 0;
    for (let i = at + 1; i + 2 <= listEnd; i += 2) {
      const version = view.getUint16(i);
      if (isGrease(version)) continue;
      if (highest === 0 || isNewer(version, highest)) highest = version;
    }
    if (highest !== 0) hello.version = highest;
    return Stop.DONE;
  }
}

/** How many numbers there are in the lists of a hello. */
export function listed(hello: ClientHello): number {
  const { ciphers, extensions, groups, pointFormats, signatureAlgorithms } = hello;
  const others = groups.length + pointFormats.length + signatureAlgorithms.length;
  return ciphers.length + extensions.length + others;
}

/** DTLS counts its versions down: 0xfefc is 1.3, 0xfeff is 1.0 (RFC 9147 §5.3). */
function isNewer(version: number, than: number): boolean {
  const isDtls = version >= DTLS_VERSIONS && than >= DTLS_VERSIONS;
  return isDtls ? version < than : version > than;
}
