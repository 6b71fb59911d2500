// SPDX-License-Identifier: AGPL-3.0-or-later

import type { TrackerRows } from "../flow/window.ts";
import { z } from "../util/zod.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { RecentSum } from "./recent-sum.ts";
import { addressFilter } from "./suggestions.ts";
import { count, endpoint, number } from "./text.ts";

const settings = z.strictObject({
  fingerprints: z
    .int()
    .min(3)
    .default(8)
    .describe(
      "Different TLS clients (JA4) that one address may seem to be to one service within five minutes.",
    ),
  versions: z
    .int()
    .min(2)
    .default(3)
    .describe("Different highest versions among its hellos that make it a probe."),
  refused_ratio: z
    .number()
    .gt(0)
    .max(1)
    .default(0.25)
    .describe("Share of its handshakes that the service refuses which makes it a probe as well."),
});
type Settings = z.infer<typeof settings>;
type Row = TrackerRows["tls_clients"][number];

const CAPACITY = 1024;
const SECONDS = 300;
/** Fewer refusals than this are an accident. */
const REFUSALS = 4;

/** Somebody finds out which versions and ciphers a TLS service accepts. */
export const tlsProbe: DetectorDefinition<Settings> = {
  name: "tls_probe",
  class: "scan",
  help: "One client begins TLS handshakes with one service in ever different ways, in several versions or mostly refused: it finds out what the service accepts, as sslscan, testssl and nmap do.",
  severities: ["warning"],
  settings,
  quietSeconds: 60,
  create: (own) => new TlsProbe(own),
};

interface Handshakes {
  readonly hellos: RecentSum;
  readonly alerts: RecentSum;
}

class TlsProbe implements Detector {
  readonly #settings: Settings;
  readonly #pairs = new BoundedMap<Handshakes>(CAPACITY);

  constructor(own: Settings) {
    this.#settings = own;
  }

  evaluate(tick: Tick): Finding[] {
    return tick.window.rows.tls_clients.flatMap((row) => {
      const sums = this.#pairs.use(keyOf(row), () => ({
        hellos: new RecentSum(SECONDS),
        alerts: new RecentSum(SECONDS),
      }));
      const hellos = sums.hellos.add(row.hellos, tick.elapsedMs);
      const alerts = sums.alerts.add(row.alerts, tick.elapsedMs);
      if (row.hellos === 0 || row.fingerprints < this.#settings.fingerprints) return [];
      return this.#isProbing(row, hellos, alerts) ? [this.#finding(row, hellos, alerts)] : [];
    });
  }

  /** Many browsers behind one address differ, too; but they offer the same two versions, and are let in. */
  #isProbing({ versions }: Row, hellos: number, alerts: number): boolean {
    const own = this.#settings;
    const isRefused = alerts >= REFUSALS && alerts >= own.refused_ratio * hellos;
    return versions.length >= own.versions || isRefused;
  }

  #finding(row: Row, hellos: number, alerts: number): Finding {
    const { client, server, port, fingerprints, versions } = row;
    return {
      entity: {
        ...{ kind: "source", key: keyOf(row), source: client },
        ...{ destination: server, port },
      },
      severity: "warning",
      protocol: "tls",
      observed: fingerprints,
      expected: 1,
      threshold: {
        value: this.#settings.fingerprints,
        setting: "detectors.tls_probe.fingerprints",
      },
      windowSeconds: SECONDS,
      samples: Math.round(hellos),
      evidence: [
        `${count(hellos, "ClientHello")} with about ${count(fingerprints, "different fingerprint")}`,
        `highest versions offered: ${versions.join(", ")}`,
        `${number(alerts)} refused with a fatal alert`,
      ],
      explanation: `${client} began TLS with ${endpoint(server, port)} in about ${count(fingerprints, "different way")} within five minutes: it finds out which versions and ciphers the service accepts.`,
      suggestion: {
        wireshark_filter: `${addressFilter("src", client)} && ${addressFilter("dst", server)} && tcp.dstport == ${port} && tls.handshake.type == 1`,
        promql: "sum by (version) (rate(nam_tls_hellos_total[5m]))",
      },
    };
  }
}

function keyOf({ client, server, port }: Row): string {
  return `${client} > ${endpoint(server, port)} tls`;
}
