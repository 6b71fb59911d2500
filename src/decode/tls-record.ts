// SPDX-License-Identifier: AGPL-3.0-or-later
import { ASSEMBLY_BYTES } from "./assembly.ts";
import { bytesOf } from "./bytes.ts";

/** Record header (RFC 8446 §5.1): content type, version, length; then the handshake's type and length. */
const LENGTH_AT = 3;
const HEADER_LENGTH = 5;
const HELLO_VERSION_AT = 9;
/** So much of a record proves that a hello begins in it. */
export const PROOF_LENGTH = 11;
const MAJOR_VERSION = 3;
/** Major version of a ServerHello in drafts of TLS 1.3. */
const DRAFTS = 0x7f;
export const CHANGE_CIPHER_SPEC = 20;
const CHANGE_CIPHER_SPEC_LENGTH = 6;
const APPLICATION_DATA = 23;
/** RFC 5246 §6.2.3: the largest record any version allows. */
const MAX_LENGTH = 16_384 + 2_048;
export const CONTENT_HANDSHAKE = 22;

/** Records that hellos and certificates are read from; more only cost time. */
const MAX_RECORDS = 64;

/** Handshake messages (RFC 8446 §4): type, length in three bytes, body. */
export const MESSAGE_HEADER_LENGTH = 4;
const MESSAGE_LENGTH_MASK = 0xffffff;
export const CLIENT_HELLO = 1;
export const SERVER_HELLO = 2;
export const CERTIFICATE = 11;

/** Type of the hello that begins in the record at `at`, 0 without one. */
export function helloTypeAt(view: DataView, at: number, end: number): number {
  if (end - at < PROOF_LENGTH) return 0;
  if (view.getUint16(at) !== ((CONTENT_HANDSHAKE << 8) | MAJOR_VERSION)) return 0;
  if (view.getUint16(at + LENGTH_AT) > MAX_LENGTH) return 0;
  const type = view.getUint8(at + HEADER_LENGTH);
  if (type !== CLIENT_HELLO && type !== SERVER_HELLO) return 0;
  // The message is shorter than 64 KiB, and is about SSL 3 or a later version.
  if (view.getUint8(at + HEADER_LENGTH + 1) !== 0) return 0;
  const major = view.getUint8(at + HELLO_VERSION_AT);
  return major === MAJOR_VERSION || (major === DRAFTS && type === SERVER_HELLO) ? type : 0;
}

/** Where a hello may begin: a second ClientHello comes behind a change of cipher spec (RFC 8446 §D.4). */
export function helloAt(view: DataView, at: number, end: number): number {
  if (end - at <= CHANGE_CIPHER_SPEC_LENGTH || view.getUint8(at) !== CHANGE_CIPHER_SPEC) return at;
  return at + CHANGE_CIPHER_SPEC_LENGTH;
}

/** False where the bytes cannot be the start of any record, and so are the middle of one. */
export function startsRecord(view: DataView, at: number, end: number): boolean {
  if (end - at < HEADER_LENGTH) return false;
  const type = view.getUint8(at);
  if (type < CHANGE_CIPHER_SPEC || type > APPLICATION_DATA) return false;
  return view.getUint8(at + 1) === MAJOR_VERSION && view.getUint16(at + LENGTH_AT) <= MAX_LENGTH;
}

/**
 * The handshake messages that one side sends in clear text, taken out of their records. One object, its content
 * valid until the next `read`.
 */
export class HandshakeMessages {
  readonly #bytes = new Uint8Array(ASSEMBLY_BYTES);
  readonly view = new DataView(this.#bytes.buffer);
  /** Bytes of messages at hand. */
  length = 0;
  /** True where nothing more is to be read behind `length`: another kind of record, or nonsense, follows. */
  isOver = false;

  /** Reads the records in `[at, end)` of a stream, of which the last may be incomplete. */
  read(view: DataView, at: number, end: number): void {
    this.length = 0;
    this.isOver = false;
    let recordAt = helloAt(view, at, end);
    for (let records = 0; end - recordAt >= HEADER_LENGTH; records++) {
      const length = view.getUint16(recordAt + LENGTH_AT);
      const isHandshake = view.getUint8(recordAt) === CONTENT_HANDSHAKE;
      // RFC 8446 §5.1: handshake records are not empty.
      if (!isHandshake || length === 0 || length > MAX_LENGTH || records === MAX_RECORDS) {
        this.isOver = true;
        return;
      }
      const bodyAt = recordAt + HEADER_LENGTH;
      const room = ASSEMBLY_BYTES - this.length;
      const taken = Math.min(length, end - bodyAt, room);
      this.#bytes.set(bytesOf(view, bodyAt, bodyAt + taken), this.length);
      this.length += taken;
      recordAt = bodyAt + length;
    }
  }

  typeAt(at: number): number {
    return at + MESSAGE_HEADER_LENGTH <= this.length ? this.view.getUint8(at) : 0;
  }

  /** Where the message at `at` ends, -1 where its length is not known yet; it may be beyond `length`. */
  endOf(at: number): number {
    if (at + MESSAGE_HEADER_LENGTH > this.length) return -1;
    return at + MESSAGE_HEADER_LENGTH + (this.view.getInt32(at) & MESSAGE_LENGTH_MASK);
  }
}
