// SPDX-License-Identifier: AGPL-3.0-or-later
import { DerCursor, Tag } from "./der.ts";
import { WireText } from "./wire-text.ts";

const MAX_NAME_BYTES = 255;
/** Alternative names kept; certificates of content networks list hundreds. */
const MAX_NAMES = 16;
/** Elements of a list that are looked at. */
const MAX_ELEMENTS = 256;
const NO_SPECIAL = -1;
/** RFC 5280 §4.2.1.6: the dNSName choice of a GeneralName. */
const DNS_NAME = 0x82;
/** The object identifiers 2.5.4.3 (common name) and 2.5.29.17 (subject alternative name), as three bytes. */
const COMMON_NAME = 0x550403;
const ALTERNATIVE_NAME = 0x551d11;
const UTC_LENGTH = 13;
const GENERALIZED_LENGTH = 15;

/** What is read of an X.509 certificate (RFC 5280 §4.1). One object, valid until the next. */
export interface Certificate {
  /** Seconds since 1970. */
  notBefore: number;
  notAfter: number;
  /** True where subject and issuer are the same. */
  isSelfIssued: boolean;
  /** Common name of the subject, lower case and escaped; empty without one. */
  commonName: string;
  /** DNS names it is for, likewise; at most 16. */
  names: string[];
}

/**
 * Reads certificates in place. A walk of its own, because that is ten times faster than OpenSSL's parser and hands
 * nothing off the wire to native code.
 */
export class CertificateReader {
  readonly certificate: Certificate = {
    notBefore: 0,
    notAfter: 0,
    isSelfIssued: false,
    commonName: "",
    names: [],
  };
  readonly #text = new WireText(MAX_NAME_BYTES);

  /** Reads the certificate `[at, end)` of `view` into `certificate`; false where it is none. */
  read(view: DataView, at: number, end: number): boolean {
    const { certificate } = this;
    certificate.commonName = "";
    certificate.names = [];
    const outer = new DerCursor(view, at, end);
    if (!outer.nextIs(Tag.SEQUENCE)) return false;
    const signed = outer.inside();
    if (!signed.nextIs(Tag.SEQUENCE)) return false;
    const fields = signed.inside();
    if (!fields.next()) return false;
    // The version comes first, where it is not 1.
    if (fields.is(Tag.CONTEXT_0) && !fields.next()) return false;
    if (!fields.is(Tag.INTEGER) || !fields.nextIs(Tag.SEQUENCE)) return false;
    if (!fields.nextIs(Tag.SEQUENCE)) return false;
    const issuerAt = fields.startAt;
    const issuerEnd = fields.to;
    if (!fields.nextIs(Tag.SEQUENCE) || !this.#validity(fields.inside())) return false;
    if (!fields.nextIs(Tag.SEQUENCE)) return false;
    certificate.isSelfIssued = areEqual(view, issuerAt, issuerEnd, fields.startAt, fields.to);
    this.#subject(fields.inside());
    while (fields.next()) if (fields.tag === Tag.CONTEXT_3) this.#extensions(fields.inside());
    return true;
  }

  #validity(times: DerCursor): boolean {
    const { certificate } = this;
    if (!times.next()) return false;
    certificate.notBefore = secondsOf(times);
    if (!times.next()) return false;
    certificate.notAfter = secondsOf(times);
    return !Number.isNaN(certificate.notBefore) && !Number.isNaN(certificate.notAfter);
  }

  /** A sequence of sets of attributes; the last common name is the most specific. */
  #subject(names: DerCursor): void {
    for (let count = 0; count < MAX_ELEMENTS && names.nextIs(Tag.SET); count++) {
      const set = names.inside();
      if (!set.nextIs(Tag.SEQUENCE)) continue;
      const attribute = set.inside();
      if (!attribute.next() || identifier(attribute) !== COMMON_NAME) continue;
      if (attribute.next()) this.certificate.commonName = this.#textOf(attribute);
    }
  }

  #extensions(outer: DerCursor): void {
    if (!outer.nextIs(Tag.SEQUENCE)) return;
    const list = outer.inside();
    for (let count = 0; count < MAX_ELEMENTS && list.nextIs(Tag.SEQUENCE); count++) {
      const extension = list.inside();
      if (!extension.next() || identifier(extension) !== ALTERNATIVE_NAME) continue;
      // A boolean may stand before the value.
      while (extension.next()) if (extension.tag === Tag.OCTET_STRING) this.#names(extension);
    }
  }

  #names(value: DerCursor): void {
    const outer = value.inside();
    if (!outer.nextIs(Tag.SEQUENCE)) return;
    const list = outer.inside();
    const { names } = this.certificate;
    for (let count = 0; count < MAX_ELEMENTS && names.length < MAX_NAMES && list.next(); count++) {
      if (list.tag === DNS_NAME) names.push(this.#textOf(list));
    }
  }

  #textOf({ view, from, to }: DerCursor): string {
    this.#text.append(view, from, Math.min(to - from, MAX_NAME_BYTES), NO_SPECIAL);
    return this.#text.take();
  }
}

/** The object identifier as one number where it has three bytes, else 0. */
function identifier({ view, tag, from, to }: DerCursor): number {
  if (tag !== Tag.OBJECT_IDENTIFIER || to - from !== 3) return 0;
  return (view.getUint16(from) << 8) | view.getUint8(from + 2);
}

function areEqual(view: DataView, a: number, aEnd: number, b: number, bEnd: number): boolean {
  if (aEnd - a !== bEnd - b) return false;
  for (let i = 0; i < aEnd - a; i++) {
    if (view.getUint8(a + i) !== view.getUint8(b + i)) return false;
  }
  return true;
}

/** Seconds since 1970 of a UTCTime or GeneralizedTime in the form that RFC 5280 §4.1.2.5 demands; NaN otherwise. */
function secondsOf({ view, tag, from, to }: DerCursor): number {
  const length = to - from;
  const isUtc = tag === Tag.UTC_TIME && length === UTC_LENGTH;
  if (!isUtc && (tag !== Tag.GENERALIZED_TIME || length !== GENERALIZED_LENGTH)) return Number.NaN;
  let at = from;
  const twoDigits = (): number => {
    const value = (view.getUint8(at) - ZERO) * 10 + view.getUint8(at + 1) - ZERO;
    at += 2;
    return value;
  };
  const first = twoDigits();
  const century = first >= 50 ? 1900 : 2000;
  const year = isUtc ? century + first : first * 100 + twoDigits();
  const [month, day, hour, minute, second] = [1, 2, 3, 4, 5].map(twoDigits) as FiveNumbers;
  const isZulu = view.getUint8(to - 1) === ZULU;
  return isZulu ? Date.UTC(year, month - 1, day, hour, minute, second) / 1000 : Number.NaN;
}

type FiveNumbers = [number, number, number, number, number];
const ZERO = 0x30;
const ZULU = 0x5a;
