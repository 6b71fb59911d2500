// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition, SignalDefinition } from "../metrics/metric.ts";
import { add } from "../util/typed.ts";
import { type HelloTransport, TRANSPORTS } from "./client-hello-metrics.ts";
import { Fingerprinter } from "./fingerprint.ts";
import { VERSION_LABELS, versionLabel } from "./hello-versions.ts";
import type { Packet } from "./packet.ts";
import { type DecodeContext, Stop } from "./protocol.ts";
import { type ServerHello, ServerHelloReader } from "./server-hello.ts";

const serverHellos: MetricDefinition = {
  name: "nam_tls_server_hellos_total",
  help: "ServerHellos by transport and the version they choose; a HelloRetryRequest is one too.",
  type: "counter",
  labels: { transport: TRANSPORTS, version: VERSION_LABELS },
};
const retries: MetricDefinition = {
  name: "nam_tls_hello_retries_total",
  help: "ServerHellos that ask the client for another hello (HelloRetryRequest).",
  type: "counter",
};

export const serverHelloMetrics: readonly MetricDefinition[] = [serverHellos, retries];

export const serverHelloSignals: readonly SignalDefinition[] = [
  { name: "tls_server_hellos", help: "TLS ServerHellos", metric: serverHellos, unit: "messages" },
];

declare module "./packet.ts" {
  interface PacketFacts {
    /** The last ServerHello read; this packet's while `serverHello.packet === packet.number`. */
    readonly serverHello?: Readonly<ServerHelloFacts>;
  }
}

/** What a ServerHello tells, for trackers. */
export interface ServerHelloFacts {
  packet: number;
  transport: HelloTransport;
  /** Version in use, as in the `version` label. */
  version: string;
  /** Cipher suite in use, by IANA number. */
  cipher: number;
  ja3s: string;
  isRetry: boolean;
}

/** Reads ServerHellos, whatever carried them, and notes each in counters, lists and facts. One a decoder. */
export class ServerHelloNotes {
  readonly facts: ServerHelloFacts = {
    packet: -1,
    transport: "tcp",
    version: "",
    cipher: 0,
    ja3s: "",
    isRetry: false,
  };
  readonly #context: DecodeContext;
  readonly #reader = new ServerHelloReader();
  readonly #fingerprinter = new Fingerprinter();
  readonly #tallyJa3s: (value: string) => void;

  constructor(context: DecodeContext) {
    this.#context = context;
    this.#tallyJa3s = context.tally("tls.ja3s");
  }

  /** What the last hello chose. */
  get hello(): Readonly<ServerHello> {
    return this.#reader.hello;
  }

  /** Reads the message `[at, end)` that lies whole in `view`; returns a Stop. */
  read(packet: Packet, transport: HelloTransport, view: DataView, at: number, end: number): number {
    const stop = this.#reader.read(view, at, end);
    if (stop === Stop.DONE) this.#note(packet, transport);
    return stop;
  }

  #note(packet: Packet, transport: HelloTransport): void {
    const { hello } = this;
    const { counters } = this.#context;
    const { facts } = this;
    facts.packet = packet.number;
    facts.transport = transport;
    facts.version = versionLabel(hello.version);
    facts.cipher = hello.cipher;
    facts.ja3s = this.#fingerprinter.ja3s(hello);
    facts.isRetry = hello.isRetry;
    const row = TRANSPORTS.indexOf(transport) * VERSION_LABELS.length;
    const cell = row + VERSION_LABELS.indexOf(facts.version);
    add(counters, this.#context.base(serverHellos) + cell, 1);
    if (hello.isRetry) add(counters, this.#context.base(retries), 1);
    if (transport !== "dtls") this.#tallyJa3s(facts.ja3s);
  }
}

export function createServerHelloNotes(context: DecodeContext): ServerHelloNotes {
  return new ServerHelloNotes(context);
}
