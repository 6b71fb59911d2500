// SPDX-License-Identifier: AGPL-3.0-or-later
import type { TrackerRows } from "../flow/window.ts";
import { type WalkModel, walk } from "./random-walk.ts";

export type ContactRow = TrackerRows["contacts"][number];

/** Contacts of a scanner meet the same host or the same port again and again; those of peer-to-peer do not. */
const SPREAD = 3;
/** Ports of one host, and hosts with one port, that nobody tries over UDP without an answer from any. */
const UDP_PORTS = 60;
const UDP_HOSTS = 100;
/** One contact in so many that is answered is not "nobody": a resolver or a peer-to-peer client that asks around. */
const UDP_ANSWERED = 10;
/** Of traceroute and mtr: the answer is that there is none. */
const TRACEROUTE_PORTS = [33_434, 33_700] as const;
/** Half of the horizon over which the tracker estimates distinct destinations and ports. */
const HALF_HORIZON_MS = 900_000;

/** What a source's contacts of one window came to, all its rows together. */
interface Outcomes {
  readonly successes: number;
  readonly failures: number;
  /** Begun in this window and without an end yet. */
  readonly pending: number;
}

/** One source: its random walk, and what it did since the evidence against it began. */
export class ScanSource {
  readonly address: string;
  readonly home: boolean;
  protocol = "tcp";
  contacts = 0;
  successes = 0;
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
  /** Many ports of few hosts, rather than few ports of many hosts; stays as it was when first called a scanner. */
  vertical = false;
  #scanning = false;
  #likelihood = 0;
  #recent = 0;
  #former = 0;
  #recentAnswered = 0;
  #formerAnswered = 0;
  #halfStartedMs: number;

  constructor(address: string, home: boolean, startedMs: number) {
    this.address = address;
    this.home = home;
    this.startedMs = startedMs;
    this.seenMs = startedMs;
    this.#halfStartedMs = startedMs;
  }

  /** Takes a window's contacts, before its outcomes are judged. */
  contacted(rows: readonly ContactRow[], elapsedMs: number): void {
    this.#rotate(elapsedMs);
    let main: ContactRow | null = null;
    this.destinations = 0;
    this.ports = 0;
    for (const row of rows) {
      this.#recent += row.contacts;
      this.#recentAnswered += row.successes;
      this.contacts += row.contacts;
      this.successes += row.successes;
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
    if (!this.#scanning) this.vertical = this.#isVertical();
    this.seenMs = elapsedMs;
  }

  /** Walks a window's outcomes; true when the source scans, now or still. */
  judge(model: WalkModel, upper: number, rows: readonly ContactRow[]): boolean {
    const { successes, failures, pending } = outcomesOf(rows);
    const before = this.#likelihood;
    this.#likelihood = walk(model, upper, before, successes, failures);
    if (this.#likelihood >= upper) this.#accuse();
    else if (this.#likelihood <= 0 && successes > 0) this.#acquit();
    // Nobody opens ten ports of one host at once and gets no answer from any: no need to wait for the time-out.
    const burst = this.vertical && successes === 0 && pending > 0;
    if (burst && walk(model, upper, before, 0, failures + pending) >= upper) this.#accuse();
    const blind = this.protocol === "udp" && this.#isBlindUdp();
    if (blind) this.#accuse();
    return this.#scanning && (failures > 0 || burst || blind);
  }

  /** Hosts limit how often they say that a UDP port is closed, and an open one may be silent, but not so many. */
  #isBlindUdp(): boolean {
    const isTraceroute = this.topPort >= TRACEROUTE_PORTS[0] && this.topPort <= TRACEROUTE_PORTS[1];
    const answered = this.#recentAnswered + this.#formerAnswered;
    if (isTraceroute || answered * UDP_ANSWERED >= this.#recent + this.#former) return false;
    return this.vertical
      ? this.ports >= UDP_PORTS
      : this.ports <= SPREAD && this.destinations >= UDP_HOSTS;
  }

  #accuse(): void {
    this.#scanning ||= this.#isConcentrated();
  }

  /** All evidence was outweighed: what comes next is counted anew. */
  #acquit(): void {
    this.#scanning = false;
    this.contacts = 0;
    this.successes = 0;
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
    const isNext = age < 2 * HALF_HORIZON_MS;
    this.#former = isNext ? this.#recent : 0;
    this.#formerAnswered = isNext ? this.#recentAnswered : 0;
    this.#recent = 0;
    this.#recentAnswered = 0;
    this.#halfStartedMs = elapsedMs;
  }
}

/** Only TCP is expected to answer at once. */
function outcomesOf(rows: readonly ContactRow[]): Outcomes {
  let successes = 0;
  let failures = 0;
  let pending = 0;
  for (const row of rows) {
    successes += row.successes;
    failures += row.failures;
    if (row.protocol !== "tcp") continue;
    pending += Math.max(0, row.contacts - row.successes - row.failures - row.aborted);
  }
  return { successes, failures, pending };
}
