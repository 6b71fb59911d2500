// SPDX-License-Identifier: AGPL-3.0-or-later
import { DnsAddresses } from "./dns-addresses.ts";
import { DnsName, NameFault, skipName } from "./dns-name.ts";
import { Stop } from "./protocol.ts";

/** Offsets in the header (RFC 1035 §4.1.1). */
const FLAGS_AT = 2;
const QUESTIONS_AT = 4;
const ANSWERS_AT = 6;
const AUTHORITIES_AT = 8;
const ADDITIONALS_AT = 10;
export const DNS_HEADER_LENGTH = 12;
/** Type and class behind the name of a question. */
const QUESTION_TAIL = 4;
/** Type, class, time to live and length behind the name of a record. */
const RECORD_TAIL = 10;
const RECORD_LENGTH_AT = 8;

const TRUNCATED_FLAG = 0x0200;
/** RFC 6891 §6.1: the record's class is the sender's buffer size, its time to live holds the flags. */
const OPT = 41;
const EXTENDED_FLAGS_AT = 6;
const DNSSEC_OK = 0x8000;

/** One DNS message as far as it could be read; reused. mDNS, LLMNR and NetBIOS names have the same form. */
export class DnsMessage {
  id = 0;
  isResponse = false;
  /** RFC 6895 §2.2; 0 is a query. */
  opcode = 0;
  rcode = 0;
  /** The sender had more to say than fits (TC). */
  isTruncated = false;
  /** Records that the header announces, whether or not they are there. */
  answers = 0;
  /** Type of the first question, -1 without one that can be read. */
  queryType = -1;
  /** Name of the first question; its length is 0 where there is none. */
  readonly name = new DnsName();
  /** Addresses among the answers. */
  readonly addresses = new DnsAddresses();
  /** Buffer size of an EDNS record (RFC 6891), -1 without one, and its DO bit. */
  bufferSize = -1;
  isDnssecOk = false;
  /** Bytes of the message as sent. */
  bytes = 0;

  /**
   * Reads `[at, end)` of `view`, which holds a whole header, of a message of `sentBytes`. `isCut`: bytes behind `end`
   * were sent, but are missing here. Returns a Stop; what was read before a fault stays.
   */
  read(view: DataView, at: number, end: number, sentBytes: number, isCut: boolean): number {
    const flags = view.getUint16(at + FLAGS_AT);
    this.id = view.getUint16(at);
    this.isResponse = flags >>> 15 === 1;
    this.opcode = (flags >>> 11) & 15;
    this.rcode = flags & 15;
    this.isTruncated = (flags & TRUNCATED_FLAG) !== 0;
    this.answers = view.getUint16(at + ANSWERS_AT);
    this.queryType = -1;
    this.bufferSize = -1;
    this.isDnssecOk = false;
    this.bytes = sentBytes;
    this.name.clear();
    this.addresses.clear();
    const next = this.#readQuestions(view, at, end);
    if (next < 0) return stopOf(next, isCut);
    const behind = this.#readRecords(view, at, next, end);
    // A server that runs out of room may stop in the middle of a record.
    return behind >= 0 || this.isTruncated ? Stop.DONE : stopOf(behind, isCut);
  }

  /** Offset behind the questions, or a NameFault. More than one is not in use (RFC 9619), except for mDNS. */
  #readQuestions(view: DataView, at: number, end: number): number {
    let next = at + DNS_HEADER_LENGTH;
    for (let left = view.getUint16(at + QUESTIONS_AT); left > 0; left--) {
      const isFirst = next === at + DNS_HEADER_LENGTH;
      const tail = isFirst ? this.name.read(view, at, next, end) : skipName(view, next, end);
      if (tail < 0) return tail;
      next = tail + QUESTION_TAIL;
      if (next > end) {
        if (isFirst) this.name.clear();
        return NameFault.SHORT;
      }
      if (isFirst) this.queryType = view.getUint16(tail);
    }
    return next;
  }

  /** Offset behind the records of all sections, or a NameFault. */
  #readRecords(view: DataView, at: number, from: number, end: number): number {
    const announced =
      this.answers + view.getUint16(at + AUTHORITIES_AT) + view.getUint16(at + ADDITIONALS_AT);
    let next = from;
    for (let left = announced; left > 0; left--) {
      const tail = skipName(view, next, end);
      if (tail < 0) return tail;
      if (tail + RECORD_TAIL > end) return NameFault.SHORT;
      if (view.getUint16(tail) === OPT) this.#readEdns(view, tail);
      next = tail + RECORD_TAIL + view.getUint16(tail + RECORD_LENGTH_AT);
      if (next > end) return NameFault.SHORT;
      if (announced - left < this.answers) this.addresses.take(view, tail);
    }
    return next;
  }

  #readEdns(view: DataView, tail: number): void {
    this.bufferSize = view.getUint16(tail + 2);
    this.isDnssecOk = (view.getUint16(tail + EXTENDED_FLAGS_AT) & DNSSEC_OK) !== 0;
  }
}

function stopOf(nameFault: number, isCut: boolean): number {
  return isCut && nameFault === NameFault.SHORT ? Stop.TRUNCATED : Stop.MALFORMED;
}
