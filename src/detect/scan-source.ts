// SPDX-License-Identifier: AGPL-3.0-or-later
import type { TrackerRows } from "../flow/window.ts";
import { type WalkModel, walk } from "./random-walk.ts";

export type ContactRow = TrackerRows["contacts"][number];

/** Contacts of a scanner meet the same host or the same port again and again; those of peer-to-peer do not. */
const SPREAD = 3;
/** Half of the horizon over which the tracker estimates distinct destinations and ports. */
const HALF_HORIZON_MS = 900_000;

/** One source: its random walk, and what it did since the evidence against it began. */
export class ScanSource {
  readonly address: string;
  readonly home: boolean;
  protocol = "tcp";
  contacts = 0;
  failures = 0;
  refused = 0;
  unanswered = 0;
  /** Estimates over the tracker's horizon. */
  destinations = 0;
  ports = 0;
  /** The host and the port of most contacts, "" and 0 where there is none. */
  topDestination = "";
  topPort = 0;
  startedMs: number;
  seenMs: number;
  /** Many ports of few hosts, rather than few ports of many hosts; decided when it is first called a scanner. */
  vertical = false;
  #scanning = false;
  #likelihood = 0;
  #recent = 0;
  #former = 0;
  #halfStartedMs: number;

  constructor(address: string, home: boolean, startedMs: number) {
    this.address = address;
    this.home = home;
    this.startedMs = startedMs;
    this.seenMs = startedMs;
    this.#halfStartedMs = startedMs;
  }

  /** Takes a window's contacts, before its outcomes are walked. */
  contacted(rows: readonly ContactRow[], elapsedMs: number): void {
    this.#rotate(elapsedMs);
    let main: ContactRow | null = null;
    this.destinations = 0;
    this.ports = 0;
    for (const row of rows) {
      this.#recent += row.contacts;
      this.contacts += row.contacts;
      this.failures += row.failures;
      this.refused += row.refused;
      this.unanswered += row.unanswered;
      this.destinations = Math.max(this.destinations, row.destinations);
      this.ports = Math.max(this.ports, row.ports);
      if (row.contacts > (main?.contacts ?? 0)) main = row;
    }
    if (main) {
      this.protocol = main.protocol;
      this.topDestination = main.topDestination;
      this.topPort = main.topPort;
    }
    this.seenMs = elapsedMs;
  }

  /** Walks a window's outcomes; true when the source scans, now or still. */
  judge(model: WalkModel, upper: number, rows: readonly ContactRow[]): boolean {
    let successes = 0;
    let failures = 0;
    for (const row of rows) {
      successes += row.successes;
      failures += row.failures;
    }
    this.#likelihood = walk(model, upper, this.#likelihood, successes, failures);
    if (this.#likelihood >= upper) this.#accuse();
    else if (this.#likelihood <= 0 && successes > 0) this.#acquit();
    return this.#scanning && failures > 0;
  }

  #accuse(): void {
    if (this.#scanning || !this.#isConcentrated()) return;
    this.#scanning = true;
    this.vertical = this.#isVertical();
  }

  /** All evidence was outweighed: what comes next is counted anew. */
  #acquit(): void {
    this.#scanning = false;
    this.contacts = 0;
    this.failures = 0;
    this.refused = 0;
    this.unanswered = 0;
    this.startedMs = this.seenMs;
  }

  #isConcentrated(): boolean {
    const targets = Math.max(1, Math.min(this.destinations, this.ports));
    return this.#recent + this.#former >= SPREAD * targets;
  }

  #isVertical(): boolean {
    if (this.topDestination !== "" && this.topPort === 0) return true;
    if (this.topDestination === "" && this.topPort !== 0) return false;
    return this.ports >= this.destinations;
  }

  #rotate(elapsedMs: number): void {
    const age = elapsedMs - this.#halfStartedMs;
    if (age < HALF_HORIZON_MS) return;
    this.#former = age < 2 * HALF_HORIZON_MS ? this.#recent : 0;
    this.#recent = 0;
    this.#halfStartedMs = elapsedMs;
  }
}
