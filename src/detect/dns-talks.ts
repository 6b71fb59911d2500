// SPDX-License-Identifier: AGPL-3.0-or-later
import type { TrackerRows } from "../flow/window.ts";
import { BoundedMap } from "./bounded-map.ts";
import { RecentSums } from "./recent-sums.ts";

type Row = TrackerRows["dns_domains"][number];

const CAPACITY = 8192;
/** The shorter span. */
export const FAST_MS = 300_000;
const SLOW_MS = 24 * 3_600_000;
const SUMS = ["queries", "chars", "bits", "carriers", "up", "down"] as const;

interface Talk {
  readonly fast: RecentSums<(typeof SUMS)[number]>;
  readonly slow: RecentSums<(typeof SUMS)[number]>;
}

/** What one client asked about one domain within a span. */
export interface Evidence {
  readonly subdomains: number;
  readonly seconds: number;
  readonly queries: number;
  readonly meanChars: number;
  readonly entropy: number;
  readonly carrierRatio: number;
  readonly novelty: number;
  readonly up: number;
  readonly down: number;
}

/** What each client asks about each domain, over five minutes and over a day. */
export class DnsTalks {
  readonly #talks = new BoundedMap<Talk>(CAPACITY);

  /** Takes a row; returns the evidence of both spans with it. */
  add(row: Row, elapsedMs: number): { readonly soon: Evidence; readonly late: Evidence } {
    const { fast, slow } = this.#talks.use(`${row.client} ${row.domain}`, () => ({
      fast: new RecentSums(SUMS, FAST_MS, 5),
      slow: new RecentSums(SUMS, SLOW_MS, 12),
    }));
    const amounts = {
      queries: row.queries,
      chars: row.subdomainChars,
      bits: row.entropyBits,
      carriers: row.carrierQueries,
      up: row.queryBytes,
      down: row.responseBytes,
    };
    fast.add(elapsedMs, amounts);
    slow.add(elapsedMs, amounts);
    return {
      soon: evidenceOf(fast, row.subdomains, FAST_MS),
      late: evidenceOf(slow, row.allSubdomains, SLOW_MS),
    };
  }
}

function evidenceOf(sums: Talk["fast"], subdomains: number, spanMs: number): Evidence {
  const queries = sums.total("queries");
  const some = Math.max(1, queries);
  return {
    subdomains: Math.min(subdomains, queries),
    seconds: spanMs / 1000,
    queries,
    meanChars: sums.total("chars") / some,
    entropy: sums.total("bits") / some,
    carrierRatio: sums.total("carriers") / some,
    novelty: Math.min(1, subdomains / some),
    up: sums.total("up"),
    down: sums.total("down"),
  };
}
