// SPDX-License-Identifier: AGPL-3.0-or-later
// What the detectors of floods to one address have in common.

import type { TrackerRows } from "../flow/window.ts";
import { z } from "../util/zod.ts";
import type { Entity, Finding, Tick } from "./detector.ts";
import { addressFilter } from "./suggestions.ts";
import { bytes, count, number } from "./text.ts";

export type TargetRow = TrackerRows["targets"][number];

/** Targets whose state a detector keeps. */
export const TARGET_CAPACITY = 1024;
export const TCP = 6;
export const UDP = 17;
/** Of sources that each send one packet, the estimate may miss some. */
const FORGED_SHARE = 0.6;
/** So few may each have sent one packet by chance. */
const FEW_SOURCES = 20;

const PROTOCOLS: Readonly<Record<number, string>> = {
  1: "icmp",
  6: "tcp",
  17: "udp",
  47: "gre",
  50: "esp",
  58: "icmpv6",
  132: "sctp",
};

/** Value of the `protocol` label, and of Wireshark's filter, for an IP protocol number. */
export function protocolName(ipProtocol: number): string {
  return PROTOCOLS[ipProtocol] ?? "other";
}

/** Groups are sent to by many and answer none; 0.0.0.0 is who has no address yet. */
function isHost(address: string): boolean {
  return !/^(22[4-9]|23\d|255)\.|\.255$|^f[ef]|^0\.0\.0\.0$|^::$/i.test(address);
}

/** A setting for a rate. */
export function rateFloor(perSecond: number, what: string) {
  return z.number().gt(0).default(perSecond).describe(what);
}

/** Rows about hosts, of some IP protocols or of all. */
export function hostRows(tick: Tick, protocols: readonly number[] | null): TargetRow[] {
  return tick.window.rows.targets.filter(
    ({ destination, ipProtocol }) =>
      isHost(destination) && (protocols?.includes(ipProtocol) ?? true),
  );
}

/** What a flood is called and how it is judged. */
export interface Flood {
  readonly severity: Finding["severity"];
  /** Packets a second, and the setting that says how many are too many. */
  readonly rate: number;
  readonly threshold: Finding["threshold"];
  /** "UDP packets": what arrives. */
  readonly what: string;
  readonly meaning: string;
  readonly filter: string;
  readonly promql: string;
}

/** A finding about one target of a flood. */
export function floodFinding(tick: Tick, row: TargetRow, flood: Flood): Finding {
  const { destination, flows, answered, refused } = row;
  const source = mainSource(row);
  const origin =
    source === "" ? `from about ${count(row.sources, "address", "addresses")}` : `from ${source}`;
  return {
    entity: targetEntity(row),
    severity: flood.severity,
    protocol: protocolName(row.ipProtocol),
    observed: flood.rate,
    expected: 0,
    threshold: flood.threshold,
    windowSeconds: tick.seconds,
    samples: row.packets,
    evidence: [
      `${count(row.packets, "packet")}, ${bytes(row.bytes)}, in ${number(tick.seconds)} s`,
      `${count(flows, "new flow")}, ${number(answered)} answered, ${number(refused)} refused`,
      `about ${count(row.sources, "source")}${isForged(row) ? ", each seen once: probably forged" : source === "" ? "" : `, most from ${source}`}`,
      `port ${row.topPort} is hit most`,
    ],
    explanation: `${destination} gets ${number(flood.rate)} ${flood.what}/s ${origin}: ${flood.meaning}.`,
    suggestion: {
      wireshark_filter: `${addressFilter("dst", destination)} && ${flood.filter}`,
      promql: flood.promql,
    },
  };
}

/** True where nearly each flow is from a source of its own and none is answered, as with forged sources. */
export function isForged({ flows, sources, answered }: TargetRow): boolean {
  return sources > FEW_SOURCES && sources >= FORGED_SHARE * flows && answered * 2 < flows;
}

function targetEntity(row: TargetRow): Entity {
  const source = mainSource(row);
  return {
    kind: "destination",
    key: row.destination,
    destination: row.destination,
    ...(source === "" ? {} : { source }),
  };
}

/** The address that sent most of it, "" where none did. */
export function mainSource({ sources, topSource }: TargetRow): string {
  return sources <= 2 ? topSource : "";
}
