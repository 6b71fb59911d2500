// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import type {
  Detector,
  DetectorContext,
  DetectorDefinition,
  Entity,
  Finding,
  Tick,
} from "./detector.ts";
import { FirstSights, Learning, recallSights, rememberSights } from "./first-sights.ts";
import { addressFilter } from "./suggestions.ts";
import { count, duration, endpoint } from "./text.ts";

const HOUR = 3600;
/** Ports from here on are taken at random by clients, and by FTP and RPC for their data. */
const FIRST_DYNAMIC_PORT = 32_768;

/** Something that can be seen for the first time. */
interface Sight {
  readonly key: string;
  readonly entity: Omit<Entity, "key">;
  readonly protocol: string;
  readonly fact: string;
  readonly explanation: string;
  readonly filter: string;
}

interface Novelty {
  readonly name: "new_host" | "new_service" | "rare_combo" | "rare_tls";
  readonly class: string;
  readonly help: string;
  readonly learnSeconds: number;
  readonly promql: string;
  sights(tick: Tick, context: DetectorContext): readonly Sight[];
}

/** A machine that was never in the home networks before. */
export const newHost = definitionOf({
  name: "new_host",
  class: "inventory",
  help: "A MAC address speaks ARP that was not seen while the network was learned: a machine was plugged in, or joined the wireless network. Silent until learn_seconds have passed.",
  learnSeconds: 24 * HOUR,
  promql: 'sum(rate(nam_network_packets_total{protocol="arp"}[5m]))',
  sights: ({ window }) =>
    window.rows.arp.map(({ address, mac }) => ({
      key: mac,
      entity: { kind: "host", source: address, mac },
      protocol: "arp",
      fact: `it claims the address ${address}`,
      explanation: `The machine ${mac} is new here and has the address ${address}.`,
      filter: `arp.src.hw_mac == ${mac}`,
    })),
});

/** A TCP service that was never offered in the home networks before. */
export const newService = definitionOf({
  name: "new_service",
  class: "inventory",
  help: "A home host accepts TCP connections on a port on which it never did while the network was learned. Silent until learn_seconds have passed.",
  learnSeconds: 24 * HOUR,
  promql: 'rate(nam_tcp_handshakes_total{outcome="established"}[5m])',
  sights: ({ window }, { isHome }) =>
    window.rows.handshakes
      .filter(
        ({ destination, port, established }) =>
          established > 0 && port < FIRST_DYNAMIC_PORT && isHome(destination),
      )
      .map(({ destination, port, topSource }) => ({
        key: `${destination} ${port}`,
        entity: { kind: "service", destination, port },
        protocol: "tcp",
        fact: topSource === "" ? "a handshake completed" : `${topSource} completed a handshake`,
        explanation: `${endpoint(destination, port)} accepts connections, which it never did before: a service was installed or opened.`,
        filter: `${addressFilter("dst", destination)} && tcp.dstport == ${port}`,
      })),
});

/** An application on a port on which this network never spoke it. */
export const rareCombo = definitionOf({
  name: "rare_combo",
  class: "protocol",
  help: "Payloads prove an application on a port on which this network never spoke it while it was learned. Silent until learn_seconds have passed.",
  learnSeconds: 7 * 24 * HOUR,
  promql: "rate(nam_flows_started_total[5m])",
  sights: ({ window }) =>
    window.rows.applications
      .filter(({ port }) => port < FIRST_DYNAMIC_PORT)
      .map(({ application, protocol, server, port, topClient }) => ({
        key: `${application} ${protocol} ${port}`,
        entity: { kind: "service", source: topClient, destination: server, port },
        protocol: application,
        fact: `${topClient} speaks it with ${endpoint(server, port)} (by payload)`,
        explanation: `${application} on ${protocol} port ${port} is a combination that this network never had: ${topClient} speaks it with ${server}.`,
        filter: `${addressFilter("dst", server)} && ${addressFilter("src", topClient)}`,
      })),
});

/** A fingerprint of TLS clients that this network never had. A fingerprint alone proves nothing. */
export const rareTls = definitionOf({
  name: "rare_tls",
  class: "protocol",
  help: "A TLS client greets with a JA4 fingerprint that no client had while the network was learned: a new program, or a new version of one. Silent until learn_seconds have passed; never more than worth knowing.",
  learnSeconds: 7 * 24 * HOUR,
  promql: "sum(rate(nam_tls_hellos_total[5m]))",
  sights: ({ window }) =>
    (window.tallies["tls.ja4"] ?? []).map(([ja4, hellos]) => ({
      key: ja4,
      entity: { kind: "signal", fingerprint: ja4 },
      protocol: "tls",
      fact: `${count(hellos, "greeting")} in this window`,
      explanation: `A TLS client greets with the fingerprint ${ja4}, which no client of this network had before: a new program, or a new version of one.`,
      filter: "tls.handshake.type == 1",
    })),
});

interface Settings {
  learn_seconds: number;
  told_seconds: number;
}

function definitionOf(novelty: Novelty): DetectorDefinition<Settings> {
  return {
    name: novelty.name,
    class: novelty.class,
    help: novelty.help,
    severities: ["info"],
    settings: z.strictObject({
      learn_seconds: z
        .number()
        .min(1)
        .default(novelty.learnSeconds)
        .describe("Seconds of traffic that are learned before anything is new."),
      told_seconds: z
        .number()
        .min(1)
        .default(10)
        .describe("Seconds for which something is told as new; then it is known."),
    }),
    quietSeconds: 10,
    alarmsPerWeek: 20,
    create: (own, context) => new NoveltyDetector(novelty, own, context),
  };
}

class NoveltyDetector implements Detector {
  readonly #novelty: Novelty;
  readonly #settings: Settings;
  readonly #context: DetectorContext;
  readonly #learning: Learning;
  readonly #known: FirstSights;

  constructor(novelty: Novelty, own: Settings, context: DetectorContext) {
    this.#novelty = novelty;
    this.#settings = own;
    this.#context = context;
    // A machine that is switched on once a year is not new every year: only what there is no room for is forgotten.
    const sights = { ...own, known_seconds: Number.POSITIVE_INFINITY };
    this.#learning = new Learning(sights);
    this.#known = new FirstSights(sights, this.#learning);
  }

  evaluate(tick: Tick): Finding[] {
    this.#learning.update(tick);
    return this.#novelty
      .sights(tick, this.#context)
      .filter(({ key }) => this.#known.isNew(key, tick))
      .map((sight) => this.#finding(sight, tick));
  }

  remember(): unknown {
    return rememberSights(this.#learning, { known: this.#known });
  }

  recall(memory: unknown, elapsedMs: number): void {
    recallSights(memory, elapsedMs, this.#learning, { known: this.#known });
  }

  #finding({ key, entity, protocol, fact, explanation, filter }: Sight, tick: Tick): Finding {
    const { name, promql } = this.#novelty;
    const { learn_seconds: seconds } = this.#settings;
    return {
      entity: { ...entity, key },
      severity: "info",
      protocol,
      observed: 1,
      expected: 0,
      threshold: { value: seconds, setting: `detectors.${name}.learn_seconds` },
      windowSeconds: tick.seconds,
      samples: 1,
      evidence: [fact, `not seen in the ${duration(this.#learning.seconds)} before`],
      explanation,
      suggestion: { wireshark_filter: filter, promql },
    };
  }
}
