// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorContext, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { addressFilter } from "./suggestions.ts";
import { count, number, percent } from "./text.ts";

const CAPACITY = 2048;
/** Destinations of one source that are remembered; more are not needed to call it a sweep. */
const REMEMBERED = 512;
const PING_WINDOW_SECONDS = 120;
const ARP_WINDOW_SECONDS = 60;

const pingSettings = z.strictObject({
  hosts: z
    .int()
    .min(2)
    .default(16)
    .describe("Hosts that one source may ping in vain within two minutes."),
  answered: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe("Share of the pinged hosts that answer, from which on it is a monitor at work."),
});
type PingSettings = z.infer<typeof pingSettings>;

/** Pings to one address after the other. */
export const pingSweep: DetectorDefinition<PingSettings> = {
  name: "ping_sweep",
  class: "scan",
  help: "One source pings one host after the other, and most of them are not there.",
  severities: ["warning", "critical"],
  settings: pingSettings,
  quietSeconds: 60,
  create: (own, context) => new PingSweep(own, context),
};

class PingSweep implements Detector {
  readonly #settings: PingSettings;
  readonly #context: DetectorContext;
  /** For each source, when it last pinged each host, and whether that one answered. */
  readonly #sources = new BoundedMap<Map<string, { timeMs: number; answered: boolean }>>(CAPACITY);

  constructor(own: PingSettings, context: DetectorContext) {
    this.#settings = own;
    this.#context = context;
  }

  evaluate(tick: Tick): Finding[] {
    const pinging = new Set<string>();
    for (const row of tick.window.rows.icmp_talks) {
      const hosts = this.#sources.use(row.source, () => new Map());
      const known = hosts.get(row.destination);
      if (!known && hosts.size >= REMEMBERED) continue;
      const answered = row.replies > 0 || (known?.answered ?? false);
      hosts.set(row.destination, { timeMs: tick.elapsedMs, answered });
      if (row.requests > 0) pinging.add(row.source);
    }
    return [...pinging].flatMap((source) => this.#judge(source, tick.elapsedMs));
  }

  #judge(source: string, elapsedMs: number): Finding[] {
    const hosts = this.#sources.peek(source) ?? new Map<string, never>();
    let silent = 0;
    for (const [host, { timeMs, answered }] of hosts) {
      if (timeMs < elapsedMs - PING_WINDOW_SECONDS * 1000) hosts.delete(host);
      else if (!answered) silent++;
    }
    const share = 1 - silent / Math.max(1, hosts.size);
    if (silent < this.#settings.hosts || share >= this.#settings.answered) return [];
    const home = this.#context.isHome(source);
    const version = source.includes(":") ? "icmpv6.type == 128" : "icmp.type == 8";
    return [
      {
        entity: { kind: "source", key: source, source },
        severity: home ? "critical" : "warning",
        protocol: source.includes(":") ? "icmpv6" : "icmp",
        observed: silent,
        expected: 0,
        threshold: { value: this.#settings.hosts, setting: "detectors.ping_sweep.hosts" },
        windowSeconds: PING_WINDOW_SECONDS,
        samples: hosts.size,
        evidence: [
          `${count(hosts.size, "host")} pinged within two minutes, ${percent(share)} answered`,
          `last: ${[...hosts.keys()].slice(-3).join(", ")}`,
        ],
        explanation: `${source} pinged about ${count(hosts.size, "host")} within two minutes, and ${number(silent)} of them did not answer: it is looking for machines.`,
        suggestion: {
          wireshark_filter: `${addressFilter("src", source)} && ${version}`,
          promql: 'rate(nam_transport_packets_total{protocol=~"icmp|icmpv6"}[1m])',
        },
      },
    ];
  }
}

const arpSettings = z.strictObject({
  addresses: z
    .int()
    .min(2)
    .default(40)
    .describe("Addresses that one machine may ask for by ARP within a minute without an answer."),
  answered: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe("Share of the addresses that answer, from which on it is a busy machine."),
});
type ArpSettings = z.infer<typeof arpSettings>;

/** ARP requests for one address after the other. */
export const arpSweep: DetectorDefinition<ArpSettings> = {
  name: "arp_sweep",
  class: "scan",
  help: "One machine asks by ARP for one address after the other, and most of them are not there.",
  severities: ["warning"],
  settings: arpSettings,
  quietSeconds: 60,
  create: (own) => ({ evaluate: (tick) => sweepingByArp(tick, own) }),
};

function sweepingByArp(tick: Tick, own: ArpSettings): Finding[] {
  return tick.window.rows.arp_askers.flatMap((row) => {
    const { mac, address, targets, answers, requests } = row;
    const silent = targets - answers;
    if (requests < 2 || silent < own.addresses || answers >= own.answered * targets) return [];
    return [
      {
        entity: { kind: "source" as const, key: mac, mac, source: address },
        severity: "warning" as const,
        protocol: "arp",
        observed: silent,
        expected: 0,
        threshold: { value: own.addresses, setting: "detectors.arp_sweep.addresses" },
        windowSeconds: ARP_WINDOW_SECONDS,
        samples: targets,
        evidence: [
          `about ${count(targets, "address", "addresses")} asked for, ${number(answers)} answered`,
          `${count(requests, "request")} in this tick, in the name of ${address}`,
        ],
        explanation: `${address} (${mac}) asked for about ${count(targets, "address", "addresses")} within a minute, and ${number(silent)} of them are not there: it is looking for machines.`,
        suggestion: {
          wireshark_filter: `arp.opcode == 1 && eth.src == ${mac}`,
          promql: 'rate(nam_arp_messages_total{operation="request"}[1m])',
        },
      },
    ];
  });
}
