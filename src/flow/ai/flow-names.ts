// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Packet, PacketFacts } from "../../decode/packet.ts";
import { lastingI32 } from "../../util/lasting.ts";
import { i32 } from "../../util/typed.ts";
import { type DnsAnswers, NO_NAME } from "./dns-answers.ts";
import { hostOf } from "./host-value.ts";
import type { Names } from "./names.ts";
import type { AiProviders } from "./providers.ts";

/** Where a flow's name comes from, the best first: the values of the `evidence` label. */
export const EVIDENCE = ["sni", "quic_sni", "http_host", "dns", "ech", "none"] as const;
/** Positions in EVIDENCE. */
export const Evidence = { SNI: 0, QUIC_SNI: 1, HTTP_HOST: 2, DNS: 3, ECH: 4, NONE: 5 } as const;

/** Applications whose packets name flows. */
export const NAMING_APPLICATIONS = ["tls", "quic", "http", "http2"] as const;

/** Told of a flow that got its name, a better one, or whose ClientHello was seen, named or not. */
export interface NameListener {
  /** `packet` is the one that says so; its flow is `packet.flow`. */
  onNamed(packet: Packet, timeMs: number): void;
  /** The packet holds the ServerHello of a flow whose ClientHello was seen. */
  onAnswered?(packet: Packet, timeMs: number): void;
}

/** One word a flow: row plus one, evidence, client family, flags; 0 for a flow of which nothing is known. */
const ROW_MASK = 0xfff;
const EVIDENCE_SHIFT = 12;
const EVIDENCE_MASK = 0x7;
const FAMILY_SHIFT = 16;
const FAMILY_MASK = 0xf;
/** The family that a CONNECT's User-Agent named. */
const CLAIMED_SHIFT = 20;
const CLAIMED = FAMILY_MASK << CLAIMED_SHIFT;
const KNOWN = 1 << 24;
const HELLO = 1 << 25;
/** The one who greeted is the end that the flow table calls the server: the capture began in mid-stream. */
const TURNED = 1 << 26;

type Hello = NonNullable<PacketFacts["hello"]>;

/**
 * Which AI provider each flow belongs to, how that is known, and which family of client greeted: a side table to the
 * flow table, by slot, of fixed size. Only packets with a hello or an HTTP request touch it.
 */
export class FlowNames implements Names {
  /** True while listeners hear of a flow for the first time. */
  isFirst = false;
  /** True while they hear of one whose provider was thought to be another, or none. */
  isRenamed = false;
  readonly #providers: AiProviders;
  readonly #answers: DnsAnswers;
  readonly #words: Int32Array;
  /** Families by number, from 1; a family is one of the few that the decoder knows. */
  readonly #families: string[] = [""];
  readonly #listeners: NameListener[] = [];

  /** `capacity`: slots of the flow table; `answers` knows by which names clients found addresses. */
  constructor(providers: AiProviders, answers: DnsAnswers, capacity: number) {
    this.#providers = providers;
    this.#answers = answers;
    this.#words = lastingI32(capacity);
  }

  /** True where the flow's hello or request was seen: its row is then what is known, not what may yet come. */
  isKnown(slot: number): boolean {
    return (i32(this.#words, slot) & KNOWN) !== 0;
  }

  /** True where a ClientHello was seen in the flow. */
  hasHello(slot: number): boolean {
    return (i32(this.#words, slot) & HELLO) !== 0;
  }

  /** Row of the flow's provider and category, -1 for none. */
  row(slot: number): number {
    return (i32(this.#words, slot) & ROW_MASK) - 1;
  }

  /** Position in EVIDENCE. */
  evidence(slot: number): number {
    const word = i32(this.#words, slot);
    return (word & KNOWN) === 0 ? Evidence.NONE : (word >>> EVIDENCE_SHIFT) & EVIDENCE_MASK;
  }

  /** Family of the flow's client by its ClientHello, as in the `family` label; empty without one. */
  family(slot: number): string {
    return this.familyName(this.familyNumber(slot));
  }

  /** The same as a small number, 0 without one, for `familyName`. */
  familyNumber(slot: number): number {
    return (i32(this.#words, slot) >>> FAMILY_SHIFT) & FAMILY_MASK;
  }

  claimedFamilyNumber(slot: number): number {
    return (i32(this.#words, slot) & CLAIMED) >>> CLAIMED_SHIFT;
  }

  familyName(family: number): string {
    return this.#families[family] ?? "";
  }

  /** Which side of the flow is the client that greeted: 0, or 1 where the capture began in the middle. */
  clientSide(slot: number): number {
    return (i32(this.#words, slot) & TURNED) === 0 ? 0 : 1;
  }

  /** Name of a row's provider. */
  provider(row: number): string {
    return this.#providers.provider(row);
  }

  category(row: number): string {
    return this.#providers.category(row);
  }

  /** Position in AI_PAIRS of what a row is counted under. */
  pair(row: number): number {
    return this.#providers.pair(row);
  }

  listen(listener: NameListener): void {
    this.#listeners.push(listener);
  }

  /** A flow began in this slot: what was known of an earlier one there is forgotten. */
  forget(slot: number): void {
    if (i32(this.#words, slot) !== 0) this.#words[slot] = 0;
  }

  /** Takes a packet of NAMING_APPLICATIONS. */
  onPacket(packet: Packet, timeMs: number): void {
    if (packet.flow < 0) return;
    const { hello, serverHello, http } = packet.facts;
    if (hello !== undefined && hello.packet === packet.number) this.#greet(packet, hello, timeMs);
    else if (serverHello !== undefined && serverHello.packet === packet.number) {
      if (!serverHello.isRetry && this.hasHello(packet.flow)) this.#answer(packet, timeMs);
    } else if (http !== undefined && http.packet === packet.number) this.#ask(packet, http, timeMs);
  }

  #greet(packet: Packet, hello: Hello, timeMs: number): void {
    const word = i32(this.#words, packet.flow);
    let row: number;
    let evidence: number = hello.transport === "quic" ? Evidence.QUIC_SNI : Evidence.SNI;
    if (hello.sni !== "") row = this.#providers.find(hello.sni);
    else {
      row = this.#answers.find(packet, timeMs);
      evidence = evidenceWithout(row, hello.ech);
    }
    // Another hello of the same flow, or one inside a CONNECT whose request told more.
    if ((word & KNOWN) !== 0 && this.evidence(packet.flow) <= evidence) {
      if ((word & HELLO) !== 0) return;
      row = this.row(packet.flow);
      evidence = this.evidence(packet.flow);
    }
    const family = this.#numberOf(hello.family) << FAMILY_SHIFT;
    this.#note(packet, row, evidence, HELLO | family, timeMs);
  }

  #answer(packet: Packet, timeMs: number): void {
    for (const listener of this.#listeners) listener.onAnswered?.(packet, timeMs);
  }

  /** An HTTP flow is named by its first request; what follows on the connection is not looked at. */
  #ask(packet: Packet, http: NonNullable<PacketFacts["http"]>, timeMs: number): void {
    if (packet.flowSide !== 0) return;
    if (http.connectFamily !== "") this.#claim(packet.flow, http.connectFamily);
    if (this.isKnown(packet.flow)) return;
    const value = http.host(packet);
    if (value === null && http.requests === 0) return;
    const host = hostOf(value ?? "");
    const row = host === "" ? this.#answers.find(packet, timeMs) : this.#providers.find(host);
    const evidence = host === "" ? evidenceWithout(row, false) : Evidence.HTTP_HOST;
    this.#note(packet, row, evidence, 0, timeMs);
  }

  #note(packet: Packet, row: number, evidence: number, more: number, timeMs: number): void {
    const { flow } = packet;
    this.isFirst = !this.isKnown(flow);
    this.isRenamed = !this.isFirst && this.row(flow) !== Math.max(row, -1);
    const turned = packet.flowSide === 0 ? 0 : TURNED;
    this.#words[flow] =
      (Math.max(row, -1) + 1) |
      (evidence << EVIDENCE_SHIFT) |
      (i32(this.#words, flow) & CLAIMED) |
      more |
      turned |
      KNOWN;
    for (const listener of this.#listeners) listener.onNamed(packet, timeMs);
  }

  /** What a request says of its sender, before the hello says what that is. */
  #claim(flow: number, family: string): void {
    const word = i32(this.#words, flow);
    if ((word & HELLO) !== 0) return;
    this.#words[flow] = (word & ~CLAIMED) | (this.#numberOf(family) << CLAIMED_SHIFT);
  }

  #numberOf(family: string): number {
    const known = this.#families.indexOf(family);
    if (known >= 0) return known;
    return this.#families.length > FAMILY_MASK ? 0 : this.#families.push(family) - 1;
  }
}

/** Evidence of a flow that says no name itself: what DNS knew is `row`. */
function evidenceWithout(row: number, hasEch: boolean): number {
  if (row !== NO_NAME) return Evidence.DNS;
  return hasEch ? Evidence.ECH : Evidence.NONE;
}
