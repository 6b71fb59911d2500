// SPDX-License-Identifier: AGPL-3.0-or-later

/** Offsets in the SSLv2-compatible ClientHello (RFC 5246 §E.2): two bytes of length, type, version, three lengths. */
const TYPE_AT = 2;
const VERSION_AT = 3;
const CIPHERS_LENGTH_AT = 5;
const SESSION_LENGTH_AT = 7;
const CHALLENGE_LENGTH_AT = 9;
const HEADER_LENGTH = 11;
const LENGTH_BYTES = 2;
const CIPHER_LENGTH = 3;
const CLIENT_HELLO = 1;
const SSL_2 = 2;
/** A two-byte length has its highest bit set; no client fills more than the next seven can say. */
export const SSL2_FIRST_BYTE = 0x80;

/** The version that an SSLv2-compatible ClientHello at `at` offers, -1 where there is none. */
export function ssl2VersionAt(view: DataView, at: number, end: number): number {
  if (end - at < HEADER_LENGTH) return -1;
  if (view.getUint8(at) !== SSL2_FIRST_BYTE || view.getUint8(at + TYPE_AT) !== CLIENT_HELLO)
    return -1;
  const version = view.getUint16(at + VERSION_AT);
  if (version !== SSL_2 && version >>> 8 !== 3) return -1;
  const ciphers = view.getUint16(at + CIPHERS_LENGTH_AT);
  const session = view.getUint16(at + SESSION_LENGTH_AT);
  const challenge = view.getUint16(at + CHALLENGE_LENGTH_AT);
  const length = HEADER_LENGTH - LENGTH_BYTES + ciphers + session + challenge;
  const isWellFormed = ciphers > 0 && ciphers % CIPHER_LENGTH === 0 && challenge > 0;
  return isWellFormed && view.getUint8(at + 1) === length ? version : -1;
}
