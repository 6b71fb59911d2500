// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition, SignalDefinition } from "../metrics/metric.ts";
import { add } from "../util/typed.ts";
import { CertificateReader } from "./certificate.ts";
import type { Packet } from "./packet.ts";
import type { DecodeContext } from "./protocol.ts";
import { Ration } from "./ration.ts";

const VALIDITIES = ["valid", "expired", "not_yet_valid", "unreadable"] as const;
type Validity = (typeof VALIDITIES)[number];
const SELF_SIGNED = ["yes", "no"];
/** Certificates read a second: each costs a few microseconds. */
const READ_PER_SECOND = 5_000;
/** Of the Certificate message (RFC 5246 §7.4.2): its header, the length of the list, that of the first entry. */
const ENTRY_LENGTH_AT = 7;
const ENTRY_AT = 10;

const certificates: MetricDefinition = {
  name: "nam_tls_certificates_total",
  help: "Server certificates of TLS up to 1.2 (later ones are encrypted) by validity at the packet's time, and whether subject and issuer are the same. Chains are not verified.",
  type: "counter",
  labels: { validity: VALIDITIES, self_signed: SELF_SIGNED },
};
const skipped: MetricDefinition = {
  name: "nam_tls_certificates_skipped_total",
  help: "Server certificates that were seen but not read, because too many came in one second.",
  type: "counter",
};

export const certificateMetrics: readonly MetricDefinition[] = [certificates, skipped];

export const certificateSignals: readonly SignalDefinition[] = [
  {
    name: "tls_certificates_expired",
    help: "TLS certificates that have expired",
    metric: certificates,
    where: { validity: "expired" },
    unit: "messages",
  },
  {
    name: "tls_certificates_self_signed",
    help: "TLS certificates that are self-signed",
    metric: certificates,
    where: { self_signed: "yes" },
    unit: "messages",
  },
];

declare module "./packet.ts" {
  interface PacketFacts {
    /** The last server certificate read; this packet's while `certificate.packet === packet.number`. */
    readonly certificate?: Readonly<CertificateFacts>;
  }
}

/** What a server's certificate tells, for trackers. */
export interface CertificateFacts {
  packet: number;
  validity: Validity;
  isSelfSigned: boolean;
  /** Seconds since 1970; 0 where the certificate cannot be read. */
  notBefore: number;
  notAfter: number;
  /** Common name of the subject, and the DNS names it is for, at most 16: lower case and escaped. */
  commonName: string;
  names: readonly string[];
}

/** Reads the server's own certificate of Certificate messages, and notes it in counters and facts. */
export class CertificateNotes {
  readonly facts: CertificateFacts = {
    packet: -1,
    validity: "unreadable",
    isSelfSigned: false,
    notBefore: 0,
    notAfter: 0,
    commonName: "",
    names: [],
  };
  readonly #context: DecodeContext;
  readonly #reader = new CertificateReader();
  readonly #ration = new Ration(READ_PER_SECOND);

  constructor(context: DecodeContext) {
    this.#context = context;
  }

  /** Reads the Certificate message `[at, end)` that lies whole in `view`. One without a certificate says nothing. */
  read(packet: Packet, view: DataView, at: number, end: number): void {
    if (at + ENTRY_AT >= end) return;
    const { counters } = this.#context;
    if (!this.#ration.take(packet)) {
      add(counters, this.#context.base(skipped), 1);
      return;
    }
    const length = (view.getUint16(at + ENTRY_LENGTH_AT) << 8) | view.getUint8(at + ENTRY_AT - 1);
    const entryAt = at + ENTRY_AT;
    const isRead = entryAt + length <= end && this.#reader.read(view, entryAt, entryAt + length);
    this.#note(packet, isRead);
  }

  #note(packet: Packet, isRead: boolean): void {
    const { certificate } = this.#reader;
    const { facts } = this;
    facts.packet = packet.number;
    facts.notBefore = isRead ? certificate.notBefore : 0;
    facts.notAfter = isRead ? certificate.notAfter : 0;
    facts.isSelfSigned = isRead && certificate.isSelfIssued;
    facts.commonName = isRead ? certificate.commonName : "";
    facts.names = isRead ? certificate.names : [];
    facts.validity = "unreadable";
    if (isRead) facts.validity = validityAt(packet.seconds, facts.notBefore, facts.notAfter);
    const row = VALIDITIES.indexOf(facts.validity) * SELF_SIGNED.length;
    const cell = row + (facts.isSelfSigned ? 0 : 1);
    add(this.#context.counters, this.#context.base(certificates) + cell, 1);
  }
}

function validityAt(seconds: number, notBefore: number, notAfter: number): Validity {
  if (seconds > notAfter) return "expired";
  return seconds < notBefore ? "not_yet_valid" : "valid";
}
