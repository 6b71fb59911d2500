// SPDX-License-Identifier: AGPL-3.0-or-later
import { createCipheriv, createDecipheriv, createHmac } from "node:crypto";

const HASH = "sha256";
const SECRET_LENGTH = 32;
const KEY_LENGTH = 16;
const IV_LENGTH = 12;
export const TAG_LENGTH = 16;
/** Bytes of ciphertext that header protection is made from (RFC 9001 §5.4.2). */
export const SAMPLE_LENGTH = 16;

/** What a version of QUIC makes its Initial keys with. */
export interface QuicVersion {
  readonly salt: Buffer;
  /** Before `key`, `iv` and `hp` in the labels. */
  readonly prefix: string;
  /** Packet types in bits 5 and 4 of the first byte: v2 counts them otherwise. */
  readonly typeOffset: number;
}

/** RFC 9001 §5.2, RFC 9369 §3, and the salts of the drafts that were deployed. */
const VERSION_1: QuicVersion = version("38762cf7f55934b34d179ae6a4c80cadccbb7f0a", "quic ", 0);
const VERSION_2: QuicVersion = version("0dede3def700a6db819381be6e269dcbf9bd2ed9", "quicv2 ", 1);
const DRAFT_29: QuicVersion = version("afbfec289993d24c9e9786f19c6111e04390a899", "quic ", 0);
const DRAFT_23: QuicVersion = version("c3eef712c72ebb5a11a7d2432bb46365bef9f502", "quic ", 0);
const NUMBER_1 = 1;
const NUMBER_2 = 0x6b3343cf;
const DRAFTS = 0xff0000;

function version(salt: string, prefix: string, typeOffset: number): QuicVersion {
  return { salt: Buffer.from(salt, "hex"), prefix, typeOffset };
}

/** The version by its number in the header, undefined where its Initials cannot be read. */
export function quicVersion(number: number): QuicVersion | undefined {
  if (number === NUMBER_1) return VERSION_1;
  if (number === NUMBER_2) return VERSION_2;
  if (number >>> 8 !== DRAFTS) return undefined;
  const draft = number & 0xff;
  if (draft >= 29 && draft <= 34) return draft < 33 ? DRAFT_29 : VERSION_1;
  return draft >= 23 && draft <= 28 ? DRAFT_23 : undefined;
}

/** The keys with which one side protects its Initials: AES-128-GCM, and AES-128-ECB for the header. */
export class InitialKeys {
  readonly #key: Buffer;
  readonly #iv: Buffer;
  readonly #headerKey: Buffer;

  constructor(secret: Buffer, prefix: string) {
    this.#key = expandLabel(secret, `${prefix}key`, KEY_LENGTH);
    this.#iv = expandLabel(secret, `${prefix}iv`, IV_LENGTH);
    this.#headerKey = expandLabel(secret, `${prefix}hp`, KEY_LENGTH);
  }

  /** The mask over the first byte and the packet number (RFC 9001 §5.4.3). */
  headerMask(sample: Uint8Array): Buffer {
    const cipher = createCipheriv("aes-128-ecb", this.#headerKey, null).setAutoPadding(false);
    return cipher.update(sample);
  }

  /** The plain text, null where the packet was not protected with these keys. `header` is already unprotected. */
  decrypt(header: Uint8Array, packetNumber: number, protectedBytes: Uint8Array): Buffer | null {
    const nonce = Buffer.from(this.#iv);
    nonce.writeUInt32BE((nonce.readUInt32BE(IV_LENGTH - 4) ^ packetNumber) >>> 0, IV_LENGTH - 4);
    const end = protectedBytes.length - TAG_LENGTH;
    const decipher = createDecipheriv("aes-128-gcm", this.#key, nonce);
    decipher.setAAD(header).setAuthTag(protectedBytes.subarray(end));
    const plain = decipher.update(protectedBytes.subarray(0, end));
    try {
      decipher.final();
      return plain;
    } catch {
      // The only way in which the library says that a tag does not fit.
      return null;
    }
  }
}

/** Both sides' keys, from the destination connection id of the client's first Initial. */
export function initialKeys(
  { salt, prefix }: QuicVersion,
  connectionId: Uint8Array,
): { client: InitialKeys; server: InitialKeys } {
  const initial = createHmac(HASH, salt).update(connectionId).digest();
  const keysOf = (label: string) =>
    new InitialKeys(expandLabel(initial, label, SECRET_LENGTH), prefix);
  return { client: keysOf("client in"), server: keysOf("server in") };
}

/** HKDF-Expand-Label (RFC 8446 §7.1) with an empty context; no length here is more than one hash. */
function expandLabel(secret: Buffer, label: string, length: number): Buffer {
  const full = Buffer.from(`tls13 ${label}`, "latin1");
  const info = Buffer.concat([Buffer.from([0, length, full.length]), full, Buffer.from([0, 1])]);
  return createHmac(HASH, secret).update(info).digest().subarray(0, length);
}
