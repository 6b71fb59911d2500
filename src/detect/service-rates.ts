// SPDX-License-Identifier: AGPL-3.0-or-later
import { type EwmaLimits, GuardedEwma } from "./baseline/guarded-ewma.ts";
import { logScale } from "./baseline/scale.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Tick } from "./detector.ts";
import type { PairRow } from "./pair-findings.ts";
import { endpoint } from "./text.ts";

const CAPACITY = 256;
/** Ten minutes make a baseline, half an hour of something else a new one. */
const LIMITS: EwmaLimits = { warmupSamples: 600, freezeSamples: 1800 };

interface Service {
  readonly baseline: GuardedEwma;
  score: number;
}

/** How often a second something usually happens at each service, by all its clients, and how unusual the present rate is. */
export class ServiceRates {
  readonly #services = new BoundedMap<Service>(CAPACITY);
  readonly #count: (row: PairRow) => number;

  /** `count` says how often it happened in a row. */
  constructor(count: (row: PairRow) => number) {
    this.#count = count;
  }

  /** Takes a tick; known services at which it did not happen have a rate of 0. */
  update({ window, seconds, tainted }: Tick): void {
    const counts = new Map<string, number>();
    for (const row of window.rows.pairs) {
      const now = this.#count(row);
      if (now === 0) continue;
      const service = endpoint(row.server, row.port);
      counts.set(service, (counts.get(service) ?? 0) + now);
    }
    for (const key of counts.keys()) {
      this.#services.use(key, () => ({ baseline: new GuardedEwma(LIMITS, logScale(1)), score: 0 }));
    }
    for (const [key, service] of this.#services.entries()) {
      const rate = (counts.get(key) ?? 0) / Math.max(1, seconds);
      service.score = service.baseline.observe(rate, !tainted);
    }
  }

  /** Standard deviations between the service's rate and its usual one; 0 until that is known. */
  score({ server, port }: PairRow): number {
    return this.#services.peek(endpoint(server, port))?.score ?? 0;
  }

  /** The rate that is usual for the service, undefined until that is known. */
  usual({ server, port }: PairRow): number | undefined {
    const baseline = this.#services.peek(endpoint(server, port))?.baseline;
    return baseline?.ready ? baseline.mean : undefined;
  }
}
