// SPDX-License-Identifier: AGPL-3.0-or-later
import type {
  Detector,
  DetectorContext,
  DetectorDefinition,
  Entity,
  Finding,
  Tick,
} from "./detector.ts";
import type { ScanSource } from "./scan-source.ts";
import { type ScanSettings, ScanSources, scanSettings } from "./scan-sources.ts";
import { addressFilter, SYN_ONLY } from "./suggestions.ts";
import { count, duration, number } from "./text.ts";

type ScanName = "port_scan" | "host_sweep";

/** Many ports of few hosts. */
export const portScan = scanDefinition(
  "port_scan",
  "One source tries many ports of a host; found by how its first contacts end (threshold random walk).",
);

/** Few ports of many hosts. */
export const hostSweep = scanDefinition(
  "host_sweep",
  "One source tries the same ports on many hosts; found by how its first contacts end (threshold random walk).",
);

function scanDefinition(name: ScanName, help: string): DetectorDefinition<ScanSettings> {
  return {
    name,
    class: "scan",
    help,
    severities: ["warning", "critical"],
    settings: scanSettings,
    quietSeconds: 30,
    create: (settings, context) => new ScanDetector(name, settings, context),
  };
}

class ScanDetector implements Detector {
  readonly #name: ScanName;
  readonly #settings: ScanSettings;
  readonly #sources: ScanSources;

  constructor(name: ScanName, settings: ScanSettings, context: DetectorContext) {
    this.#name = name;
    this.#settings = settings;
    this.#sources = new ScanSources(settings, context);
  }

  evaluate(tick: Tick): Finding[] {
    const vertical = this.#name === "port_scan";
    return this.#sources
      .update(tick)
      .filter((source) => source.vertical === vertical)
      .map((source) => this.#finding(source));
  }

  #finding(source: ScanSource): Finding {
    const seconds = Math.max(1, (source.seenMs - source.startedMs) / 1000);
    const alpha = source.home ? "home_alpha" : "alpha";
    return {
      entity: entityOf(source),
      severity: source.home ? "critical" : "warning",
      protocol: source.protocol,
      observed: unsuccessful(source),
      expected: Math.round((1 - this.#settings.theta0) * source.contacts),
      threshold: {
        value: this.#sources.enough(source),
        setting: `detectors.${this.#name}.${alpha}`,
      },
      windowSeconds: seconds,
      samples: source.contacts,
      evidence: evidenceOf(source, seconds),
      explanation: explain(source, seconds),
      suggestion: {
        wireshark_filter: filterOf(source),
        promql: 'rate(nam_tcp_handshakes_total{outcome=~"refused|unanswered"}[1m])',
      },
    };
  }
}

function entityOf(source: ScanSource): Entity {
  const { address, topDestination, topPort } = source;
  return {
    kind: "source",
    key: address,
    source: address,
    ...(topDestination === "" ? {} : { destination: topDestination }),
    ...(source.vertical || topPort === 0 ? {} : { port: topPort }),
  };
}

function evidenceOf(source: ScanSource, seconds: number): string[] {
  const { contacts, successes, refused, unanswered, destinations, ports } = source;
  return [
    `${count(contacts, "first contact")} in ${duration(seconds)}, ${number(successes)} succeeded`,
    `${number(refused)} refused, ${number(unanswered)} unanswered after 3 s`,
    `about ${count(destinations, "host")} and ${count(ports, "port")} in the last half hour`,
    source.home
      ? "the source is inside the home networks"
      : "the source is outside the home networks",
  ];
}

function explain(source: ScanSource, seconds: number): string {
  const { address, topDestination, topPort, successes, contacts } = source;
  const tried = source.vertical
    ? `about ${count(source.ports, "port")}${topDestination === "" ? "" : ` of ${topDestination}`}`
    : `${topPort === 0 ? "the same ports" : `port ${topPort}`} of about ${count(source.destinations, "host")}`;
  const few = successes === 0 ? "none" : `only ${number(successes)}`;
  const meaning = source.home
    ? "a machine of yours is looking for open services, as malware and intruders do"
    : "someone is looking for open services";
  return `${address} tried ${tried} in ${duration(seconds)}, and ${few} of ${count(contacts, "first contact")} succeeded: ${meaning}.`;
}

/** Contacts that came to nothing: refused, unanswered, given up half-way, or without an answer so far. */
function unsuccessful({ contacts, successes, refused, unanswered }: ScanSource): number {
  return Math.max(refused + unanswered, contacts - successes);
}

function filterOf({ address, protocol, vertical, topPort }: ScanSource): string {
  const attempts = protocol === "udp" ? "udp" : SYN_ONLY;
  const port = vertical || topPort === 0 ? "" : ` && ${protocol}.dstport == ${topPort}`;
  return `${addressFilter("src", address)} && ${attempts}${port}`;
}
