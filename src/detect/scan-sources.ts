// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { DetectorContext, Tick } from "./detector.ts";
import { Outage } from "./outage.ts";
import { scannerThreshold, type WalkModel, walkModel } from "./random-walk.ts";
import { type ContactRow, ScanSource } from "./scan-source.ts";

const CAPACITY = 4096;

const probability = z.number().gt(0).lt(1);

export const scanSettings = z.strictObject({
  alpha: probability
    .default(1e-6)
    .describe("Chance that a harmless source outside the home networks is called a scanner."),
  home_alpha: probability
    .default(1e-9)
    .describe("The same for sources inside the home networks, where a false alarm costs more."),
  beta: probability.default(0.99).describe("Wanted chance that a scanner is found."),
  theta0: probability
    .default(0.8)
    .describe("Share of a harmless source's first contacts that succeed."),
  theta1: probability.default(0.2).describe("Share of a scanner's first contacts that succeed."),
  silence_factor: z
    .number()
    .min(1)
    .default(4)
    .describe(
      "How many times more evidence a home source needs that tried many hosts and met only silence: a network that lost its uplink sees silence, too.",
    ),
  state_seconds: z
    .number()
    .min(60)
    .default(1800)
    .describe("A source that made no contact for this long starts over."),
});
export type ScanSettings = z.infer<typeof scanSettings>;

/** Walks every source's first contacts and says which of them scan. */
export class ScanSources {
  readonly #settings: ScanSettings;
  readonly #context: DetectorContext;
  readonly #sources = new BoundedMap<ScanSource>(CAPACITY);
  readonly #foreign: WalkModel;
  readonly #local: WalkModel;
  readonly #outage = new Outage();

  constructor(settings: ScanSettings, context: DetectorContext) {
    const { theta0, theta1, beta, alpha, home_alpha } = settings;
    this.#settings = settings;
    this.#context = context;
    this.#foreign = walkModel(theta0, theta1, beta, alpha);
    this.#local = walkModel(theta0, theta1, beta, home_alpha);
  }

  /** Sources that scan and whose contacts failed in this tick. */
  update({ elapsedMs, seconds, window }: Tick): ScanSource[] {
    const startedMs = elapsedMs - seconds * 1000;
    this.#forget(elapsedMs);
    const scanning: ScanSource[] = [];
    this.#outage.advance(elapsedMs);
    for (const [address, rows] of bySource(window.rows.contacts)) {
      const source = this.#sources.use(
        address,
        () => new ScanSource(address, this.#context.isHome(address), startedMs),
      );
      source.contacted(rows, elapsedMs);
      const model = source.home ? this.#local : this.#foreign;
      if (source.home) this.#outage.add(address, rows);
      if (source.judge(model, this.#upper(source), rows)) scanning.push(source);
    }
    return this.#outage.lasts ? scanning.filter((source) => !isMetBySilence(source)) : scanning;
  }

  /** How many failures in a row would have been enough to call the source a scanner. */
  enough(source: ScanSource): number {
    return Math.ceil(this.#upper(source) / this.#foreign.failure);
  }

  #upper(source: ScanSource): number {
    const { beta, alpha, home_alpha, silence_factor } = this.#settings;
    if (!source.home) return scannerThreshold(beta, alpha);
    return scannerThreshold(beta, home_alpha) * (isMetBySilence(source) ? silence_factor : 1);
  }

  #forget(elapsedMs: number): void {
    const expired = elapsedMs - this.#settings.state_seconds * 1000;
    for (const [address, { seenMs }] of this.#sources.entries()) {
      if (seenMs > expired) return;
      this.#sources.delete(address);
    }
  }
}

/** True for a home source that tried many hosts and was refused by none. */
function isMetBySilence({ home, vertical, refused }: ScanSource): boolean {
  return home && !vertical && refused === 0;
}

/** A source has a row for each protocol and each sensor that saw it. */
function bySource(rows: readonly ContactRow[]): Map<string, ContactRow[]> {
  const sources = new Map<string, ContactRow[]>();
  for (const row of rows) {
    const known = sources.get(row.source);
    if (known) known.push(row);
    else sources.set(row.source, [row]);
  }
  return sources;
}
