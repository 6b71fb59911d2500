// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Frame } from "../../src/capture/source.ts";
import { Decoder } from "../../src/decode/decoder.ts";
import {
  applicationFamily,
  applicationNames,
  decodeMetrics,
  type Family,
  frameErrors,
  networkFamily,
  networkNames,
  transportFamily,
  transportNames,
} from "../../src/decode/families.ts";
import type { Packet } from "../../src/decode/packet.ts";
import { CellLayout } from "../../src/metrics/cells.ts";
import type { MetricDefinition } from "../../src/metrics/metric.ts";
import { cellHistogram } from "../support/cells.ts";
import { type Bytes, frameOf } from "./frames.ts";

/** Private, link-local and loopback networks. */
export const HOME: readonly string[] = [
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "169.254.0.0/16",
  "127.0.0.0/8",
  "fc00::/7",
  "fe80::/10",
  "::1/128",
];

export type Counts = Record<string, number>;

/** One decoder with its cells and tallies, and the questions that tests ask them. */
export class Decoding {
  readonly layout = new CellLayout(decodeMetrics);
  readonly counters = new Float64Array(this.layout.size);
  readonly tallies = new Map<string, Map<string, number>>();
  readonly decoder: Decoder;
  /** By family and labels: which cells to add up, asked for thousands of times by tests that count in between. */
  readonly #slots = new Map<string, readonly number[]>();

  constructor(home: readonly string[] = HOME, echPublicNames: readonly string[] = []) {
    this.decoder = new Decoder({
      layout: this.layout,
      counters: this.counters,
      tally: (name) => this.#tally(name),
      home,
      echPublicNames,
    });
  }

  get packet(): Packet {
    return this.decoder.packet;
  }

  /** Decodes and counts one frame; returns the verdict to keep for its flow. */
  take(frame: Frame, verdict = 0): number {
    this.decoder.headers(frame);
    const kept = this.decoder.application(verdict);
    this.decoder.count();
    return kept;
  }

  /** The same for bytes as one whole Ethernet frame. */
  takeBytes(content: Bytes, changes: Partial<Frame> = {}): Packet {
    this.take(frameOf(content, changes));
    return this.packet;
  }

  /** Names of the packet's three layers. */
  names(): { network: string; transport: string; application: string } {
    const { network, transport, application } = this.packet;
    return {
      network: networkNames[network] ?? "?",
      transport: transportNames[transport] ?? "?",
      application: applicationNames[application] ?? "?",
    };
  }

  /** Sum of the cells of a family that match. */
  value(name: string, where: Readonly<Record<string, string>> = {}): number {
    const key = `${name} ${JSON.stringify(where)}`;
    const slots = this.#slots.get(key) ?? this.layout.slots(metricOf(name), where);
    this.#slots.set(key, slots);
    return slots.reduce((sum, slot) => sum + (this.counters[slot] ?? 0), 0);
  }

  /** Counts of a family with one label by its values, without the zeros. */
  series(name: string): Counts {
    const counts: Counts = {};
    for (const { labels, slot } of this.layout.series(metricOf(name))) {
      const count = this.counters[slot] ?? 0;
      if (count > 0) counts[Object.values(labels)[0] ?? ""] = count;
    }
    return counts;
  }

  /** Counts of a histogram without labels, not cumulative and +Inf last, and its sum. */
  histogram(definition: MetricDefinition): { counts: number[]; sum: number } {
    return cellHistogram(this.layout, this.counters, definition);
  }

  /** Packets by label value, without the zeros. */
  packets(family: Family): Counts {
    const counts = family.names.map(
      (protocol) => [protocol, this.value(family.packets.name, { protocol })] as const,
    );
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
  }

  tally(name: string): Counts {
    return Object.fromEntries(this.tallies.get(name) ?? []);
  }

  /** What must hold after any frames whatever: every family has each packet once, each packet one outcome. */
  sums(): { packets: number[]; bytes: number[]; errors: number } {
    const families = [networkFamily, transportFamily, applicationFamily];
    return {
      packets: families.map(({ packets }) => this.value(packets.name)),
      bytes: families.map(({ bytes }) => this.value(bytes.name)),
      errors: this.value(frameErrors.name),
    };
  }

  #tally(name: string): (value: string) => void {
    const list = this.tallies.get(name) ?? new Map<string, number>();
    this.tallies.set(name, list);
    return (value) => list.set(value, (list.get(value) ?? 0) + 1);
  }
}

function metricOf(name: string): MetricDefinition {
  const definition = decodeMetrics.find((metric) => metric.name === name);
  if (!definition) throw new Error(`no metric ${name}`);
  return definition;
}
