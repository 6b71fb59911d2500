// SPDX-License-Identifier: AGPL-3.0-or-later
import { trackers } from "../../src/flow/all.ts";
import type { CaptureWindow, DropStage, TrackerRows, Window } from "../../src/flow/window.ts";

/** No tracker has anything to say. */
export const NO_ROWS = Object.fromEntries(
  trackers.map(({ name }) => [name, []]),
) as unknown as TrackerRows;

export type ContactRow = TrackerRows["contacts"][number];
export type HandshakeRow = TrackerRows["handshakes"][number];
export type ArpRow = TrackerRows["arp"][number];

/** A round second, so that expected times are easy to read. */
export const START_MS = Date.UTC(2026, 0, 15, 12, 0, 0);

export interface WindowParts {
  readonly startMs: number;
  readonly seconds?: number;
  readonly ticks?: number;
  readonly counters?: Float64Array;
  readonly contacts?: readonly ContactRow[];
  readonly handshakes?: readonly HandshakeRow[];
  readonly arp?: readonly ArpRow[];
  /** Rows of any tracker. */
  readonly rows?: Partial<TrackerRows>;
  readonly tallies?: Window["tallies"];
  /** Null: no sensor captures. */
  readonly capture?: Partial<CaptureWindow> | null;
}

/** A window of plain data as a sensor would send it. */
export function makeWindow(parts: WindowParts): Window {
  const seconds = parts.seconds ?? 1;
  const { contacts = [], handshakes = [], arp = [] } = parts;
  return {
    sensor: 0,
    sequence: 0,
    startMs: parts.startMs,
    endMs: parts.startMs + seconds * 1000,
    ticks: parts.ticks ?? 1,
    capture: parts.capture === null ? [] : [makeCapture(parts.capture ?? {})],
    counters: parts.counters ?? new Float64Array(0),
    gauges: new Float64Array(0),
    sketches: {},
    rows: { ...NO_ROWS, contacts, handshakes, arp, ...parts.rows },
    tallies: parts.tallies ?? {},
  };
}

export function makeCapture(parts: Partial<CaptureWindow>): CaptureWindow {
  return {
    interface: "eth0",
    source: "afpacket",
    received: 1000,
    processed: 1000,
    bytes: 100_000,
    dropped: drops({}),
    duplicates: 0,
    ringFreezes: 0,
    ringFill: 0,
    dropCounterSupported: true,
    lastPacketMs: 0,
    lagSeconds: 0,
    clockSteps: 0,
    ...parts,
  };
}

export function drops(parts: Partial<Record<DropStage, number>>): Record<DropStage, number> {
  return { kernel: 0, ring: 0, shed: 0, ipc: 0, ...parts };
}

/** First contacts of one source in one window. `failures` follows from refused and unanswered. */
export function contactRow(parts: Partial<ContactRow>): ContactRow {
  const { refused = 0, unanswered = 0 } = parts;
  return {
    source: "192.0.2.1",
    protocol: "tcp",
    contacts: 0,
    successes: 0,
    failures: refused + unanswered,
    refused,
    unanswered,
    aborted: 0,
    destinations: 1,
    ports: 1,
    topDestination: "",
    topPort: 0,
    firstMs: START_MS,
    lastMs: START_MS,
    ...parts,
  };
}

export function handshakeRow(parts: Partial<HandshakeRow>): HandshakeRow {
  return {
    destination: "10.0.0.80",
    port: 80,
    syn: 0,
    synAck: 0,
    established: 0,
    refused: 0,
    aborted: 0,
    unanswered: 0,
    sources: 1,
    topSource: "",
    topSourceSyn: 0,
    ...parts,
  };
}

export function arpRow(parts: Partial<ArpRow>): ArpRow {
  return {
    address: "10.0.0.7",
    mac: "02:00:00:00:00:07",
    kind: "seen",
    previousMac: "",
    previousAgeMs: 0,
    previousSightings: 0,
    sightings: 1,
    unsolicited: 0,
    previousUnsolicited: 0,
    replies: 1,
    gratuitous: 0,
    addressesOfMac: 1,
    ...parts,
  };
}

/** What one client asked about one domain in one window: nothing, unless said. */
export function dnsDomainRow(
  parts: Partial<TrackerRows["dns_domains"][number]>,
): TrackerRows["dns_domains"][number] {
  return {
    ...{ client: "10.0.0.5", domain: "example.com", queries: 0, carrierQueries: 0, queryBytes: 0 },
    ...{ subdomainChars: 0, entropyBits: 0, longestSubdomain: 0, subdomains: 0 },
    ...{ allSubdomains: parts.subdomains ?? 0, responses: 0, responseBytes: 0 },
    ...{ largestResponse: 0, nxdomain: 0, firstMs: START_MS, lastMs: START_MS },
    ...parts,
  };
}

/** DNS of one host in one window: none, unless said. */
export function dnsHostRow(
  parts: Partial<TrackerRows["dns_hosts"][number]>,
): TrackerRows["dns_hosts"][number] {
  return {
    ...{ host: "10.0.0.5", queries: 0, queryBytes: 0, txtQueries: 0, repeats: 0, responses: 0 },
    ...{ responseBytes: 0, nxdomain: 0, servfail: 0, timeouts: 0, unsolicited: 0, domains: 0 },
    ...{ unsolicitedBytes: 0, servedQueries: 0, servedAmplifying: 0, servedQueryBytes: 0 },
    ...{ servedResponses: 0, servedResponseBytes: 0, servedLargest: 0, servedTimeouts: 0 },
    ...{ clients: 0, topClient: "", topClientQueries: 0, firstMs: START_MS, lastMs: START_MS },
    ...parts,
  };
}
