// SPDX-License-Identifier: AGPL-3.0-or-later
import { ExtensionType } from "./client-hello.ts";
import { NumberList } from "./number-list.ts";
import { Stop } from "./protocol.ts";

/** Offsets in the handshake message (RFC 8446 §4, §4.1.3): type, length, version, random, session id … */
const VERSION_AT = 4;
const RANDOM_AT = 6;
const SESSION_ID_AT = 38;
/** Cipher and compression method behind the session id. */
const CHOICE_LENGTH = 3;
const CIPHER_LENGTH = 2;
const DRAFTS = 0x7f;
const EXTENSION_HEADER_LENGTH = 4;
/** More than any server answers with; the list is hashed. */
const MAX_EXTENSIONS = 128;
/** The random of a HelloRetryRequest, RFC 8446 §4.1.3: its first eight bytes are proof enough. */
const RETRY_RANDOM_0 = 0xcf21ad74 | 0;
const RETRY_RANDOM_1 = 0xe59a6111 | 0;

/** What a ServerHello chooses. One object, valid until the next hello. */
export interface ServerHello {
  legacyVersion: number;
  /** Version in use: of supported_versions where it is there, else the legacy one. */
  version: number;
  cipher: number;
  readonly extensions: NumberList;
  /** True where the server asks for another ClientHello. */
  isRetry: boolean;
}

/** Reads ServerHello messages. Every length is checked against the field around it before it is used. */
export class ServerHelloReader {
  readonly hello: ServerHello = {
    legacyVersion: 0,
    version: 0,
    cipher: 0,
    extensions: new NumberList(MAX_EXTENSIONS),
    isRetry: false,
  };

  /**
   * Reads the handshake message `[at, end)`, which lies whole in `view`, into `hello`. Returns DONE, MALFORMED, or
   * UNSUPPORTED for a list of extensions longer than any server sends.
   */
  read(view: DataView, at: number, end: number): number {
    const { hello } = this;
    hello.extensions.clear();
    const sessionIdAt = at + SESSION_ID_AT;
    if (sessionIdAt + 1 > end) return Stop.MALFORMED;
    hello.legacyVersion = view.getUint16(at + VERSION_AT);
    hello.version = hello.legacyVersion;
    hello.isRetry =
      view.getInt32(at + RANDOM_AT) === RETRY_RANDOM_0 &&
      view.getInt32(at + RANDOM_AT + 4) === RETRY_RANDOM_1;
    // Drafts of TLS 1.3 before the 22nd had neither session id nor compression method here.
    const isDraft = hello.legacyVersion >>> 8 === DRAFTS;
    const choiceAt = isDraft ? sessionIdAt : sessionIdAt + 1 + view.getUint8(sessionIdAt);
    const extensionsAt = choiceAt + (isDraft ? CIPHER_LENGTH : CHOICE_LENGTH);
    if (extensionsAt > end) return Stop.MALFORMED;
    hello.cipher = view.getUint16(choiceAt);
    if (extensionsAt === end) return Stop.DONE;
    if (extensionsAt + 2 > end) return Stop.MALFORMED;
    const extensionsEnd = extensionsAt + 2 + view.getUint16(extensionsAt);
    return extensionsEnd > end
      ? Stop.MALFORMED
      : this.#extensions(view, extensionsAt + 2, extensionsEnd);
  }

  #extensions(view: DataView, from: number, end: number): number {
    const { hello } = this;
    let at = from;
    while (at < end) {
      if (at + EXTENSION_HEADER_LENGTH > end) return Stop.MALFORMED;
      const type = view.getUint16(at);
      const bodyAt = at + EXTENSION_HEADER_LENGTH;
      at = bodyAt + view.getUint16(at + 2);
      if (at > end) return Stop.MALFORMED;
      if (hello.extensions.isFull) return Stop.UNSUPPORTED;
      hello.extensions.push(type);
      if (type === ExtensionType.SUPPORTED_VERSIONS && at - bodyAt === 2) {
        hello.version = view.getUint16(bodyAt);
      }
    }
    return Stop.DONE;
  }
}
