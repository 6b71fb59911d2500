// SPDX-License-Identifier: AGPL-3.0-or-later
import { add } from "../util/typed.ts";
import { type ClientHello, ClientHelloReader, ExtensionType, listed } from "./client-hello.ts";
import {
  familyOf,
  features,
  type HelloTransport,
  helloCell,
  hellos,
  OTHER_FAMILY,
  skipped,
  unfingerprinted,
} from "./client-hello-metrics.ts";
import { Fingerprinter, type Ja4Transport, MAX_FINGERPRINTED } from "./fingerprint.ts";
import { versionLabel } from "./hello-versions.ts";
import type { Packet } from "./packet.ts";
import { type DecodeContext, Stop } from "./protocol.ts";
import { Ration } from "./ration.ts";

const JA4_TRANSPORTS: Readonly<Record<HelloTransport, Ja4Transport>> = {
  tcp: "t",
  quic: "q",
  dtls: "d",
};
/** Hellos noted a second: a usual one costs up to ten microseconds, most of them for its fingerprints. */
const NOTED_PER_SECOND = 10_000;
/** Numbers in the lists of a usual hello. */
const USUAL_LISTED = 100;

declare module "./packet.ts" {
  interface PacketFacts {
    /** The last ClientHello read; this packet's while `hello.packet === packet.number`. */
    readonly hello?: Readonly<HelloFacts>;
  }
}

/** What a ClientHello tells, for trackers. */
export interface HelloFacts {
  packet: number;
  transport: HelloTransport;
  /** Highest version offered, as in the `version` label. */
  version: string;
  /** Server name, lower case and escaped; empty without one, or where ECH hides it behind a public name. */
  sni: string;
  /** First protocol that ALPN offers, lower case and escaped; empty without one. */
  alpn: string;
  /** Both empty for an SSL 2 hello, and for one that lists more than MAX_FINGERPRINTED numbers. */
  ja3: string;
  ja4: string;
  /** Client family, as in the `family` label. */
  family: string;
  /** True with an ECH extension, which may be GREASE: `sni` may then be a public name that is not configured. */
  ech: boolean;
  /** True where the client brings a pre-shared key or a session ticket. */
  resumes: boolean;
}

/**
 * Reads ClientHellos, whatever carried them, and notes each in counters, lists and facts. One a decoder: use it
 * through `context.shared(createClientHelloNotes)`.
 */
export class ClientHelloNotes {
  readonly facts: HelloFacts = {
    packet: -1,
    transport: "tcp",
    version: "",
    sni: "",
    alpn: "",
    ja3: "",
    ja4: "",
    family: OTHER_FAMILY,
    ech: false,
    resumes: false,
  };
  readonly #context: DecodeContext;
  readonly #reader = new ClientHelloReader();
  readonly #fingerprinter = new Fingerprinter();
  readonly #ration = new Ration(NOTED_PER_SECOND);
  readonly #tallies: Readonly<Record<string, (value: string) => void>>;

  constructor(context: DecodeContext) {
    this.#context = context;
    const { tally } = context;
    this.#tallies = Object.fromEntries(
      ["tls.sni", "tls.ja3", "tls.ja4", "quic.sni", "quic.ja4"].map((name) => [name, tally(name)]),
    );
  }

  /** Reads the message `[at, end)` that lies whole in `view`, sent by `packet` or completed by it; returns a Stop. */
  read(packet: Packet, transport: HelloTransport, view: DataView, at: number, end: number): number {
    const stop = this.#reader.read(view, at, end, transport === "dtls");
    if (stop !== Stop.DONE) return stop;
    if (this.#ration.take(packet, costOf(this.#reader.hello))) {
      this.#note(packet, transport, view);
    } else {
      add(this.#context.counters, this.#context.base(skipped), 1);
    }
    return Stop.DONE;
  }

  /** Notes an SSLv2-compatible ClientHello, which has neither extensions nor fingerprints. */
  noteSsl2(packet: Packet, version: number): void {
    const { facts } = this;
    facts.packet = packet.number;
    facts.transport = "tcp";
    facts.version = versionLabel(version);
    facts.sni = "";
    facts.alpn = "";
    facts.ja3 = "";
    facts.ja4 = "";
    facts.family = OTHER_FAMILY;
    facts.ech = false;
    facts.resumes = false;
    this.#count(OTHER_FAMILY);
  }

  #note(packet: Packet, transport: HelloTransport, view: DataView): void {
    const { hello } = this.#reader;
    const { facts } = this;
    facts.packet = packet.number;
    facts.transport = transport;
    facts.version = versionLabel(hello.version);
    facts.family = this.#fingerprint(transport, view);
    facts.alpn = this.#reader.alpn(view);
    this.#countFeatures(hello);
    // A GREASE extension cannot be told from a real one: only a name known to be nobody's is left out.
    const isPublic = facts.ech && this.#context.echPublicNames.has(hello.serverName);
    facts.sni = isPublic ? "" : hello.serverName;
    this.#count(facts.family);
    this.#list(transport);
  }

  /** Returns the family of the client. */
  #fingerprint(transport: HelloTransport, view: DataView): string {
    const { hello } = this.#reader;
    const { facts } = this;
    if (listed(hello) > MAX_FINGERPRINTED) {
      facts.ja3 = "";
      facts.ja4 = "";
      add(this.#context.counters, this.#context.base(unfingerprinted), 1);
      return OTHER_FAMILY;
    }
    const ja4Ciphers = this.#fingerprinter.ja4Ciphers(hello);
    facts.ja3 = this.#fingerprinter.ja3(hello);
    facts.ja4 = this.#fingerprinter.ja4(hello, view, JA4_TRANSPORTS[transport], ja4Ciphers);
    return familyOf(ja4Ciphers);
  }

  #count(family: string): void {
    const { transport, version, sni } = this.facts;
    const cell = helloCell(transport, version, sni !== "", family);
    add(this.#context.counters, this.#context.base(hellos) + cell, 1);
  }

  #countFeatures(hello: ClientHello): void {
    const { extensions } = hello;
    const isPresent = [
      extensions.includes(ExtensionType.ENCRYPTED_CLIENT_HELLO),
      extensions.includes(ExtensionType.PRE_SHARED_KEY),
      hello.hasTicket,
      extensions.includes(ExtensionType.EARLY_DATA),
    ];
    const cells = this.#context.base(features);
    for (const [feature, present] of isPresent.entries()) {
      if (present) add(this.#context.counters, cells + feature, 1);
    }
    this.facts.ech = isPresent[0] === true;
    this.facts.resumes = isPresent[1] === true || isPresent[2] === true;
  }

  /** JA3 is one list for TLS and QUIC, as everywhere else; DTLS has no JA3 that others would know. */
  #list(transport: HelloTransport): void {
    const { sni, ja3, ja4 } = this.facts;
    const prefix = transport === "quic" ? "quic" : "tls";
    if (sni !== "") this.#tallies[`${prefix}.sni`]?.(sni);
    if (ja4 === "") return;
    if (transport !== "dtls") this.#tallies["tls.ja3"]?.(ja3);
    this.#tallies[`${prefix}.ja4`]?.(ja4);
  }
}

/** Sorting and hashing take time by the length of the lists: a hostile hello costs what it is worth. */
function costOf(hello: ClientHello): number {
  return 1 + Math.trunc(listed(hello) / USUAL_LISTED);
}

export function createClientHelloNotes(context: DecodeContext): ClientHelloNotes {
  return new ClientHelloNotes(context);
}
