// SPDX-License-Identifier: AGPL-3.0-or-later
import type { TrackerRows } from "../flow/window.ts";
import { hasProvider, targetOf } from "./ai-targets.ts";
import { BoundedMap } from "./bounded-map.ts";
import { RecentSums } from "./recent-sums.ts";

const CAPACITY = 4096;
const HOUR_MS = 3_600_000;
const PARTS = 12;

type Row = TrackerRows["ai_calls"][number];

/** A server that is no provider's, and answered one client in token streams. */
export interface StreamHits {
  readonly row: Row;
  /** Within about an hour. */
  readonly streams: number;
}

/** Counts token streams from servers that are no provider's, by client and server. */
export class UnknownStreams {
  readonly #streams = new BoundedMap<RecentSums<"streams">>(CAPACITY);
  readonly #isWanted: (row: Row) => boolean;

  constructor(isWanted: (row: Row) => boolean) {
    this.#isWanted = isWanted;
  }

  /** Takes a window; returns the servers that streamed in it. */
  update({ ai_calls }: TrackerRows, elapsedMs: number): StreamHits[] {
    return ai_calls
      .filter((row) => row.streams > 0 && !hasProvider(row) && this.#isWanted(row))
      .map((row) => {
        const sums = this.#streams.use(
          `${row.client} ${targetOf(row)}`,
          () => new RecentSums(["streams"] as const, HOUR_MS, PARTS),
        );
        sums.add(elapsedMs, { streams: row.streams });
        return { row, streams: sums.total("streams") };
      });
  }
}
