// SPDX-License-Identifier: AGPL-3.0-or-later
// What the detectors of attacks by one client on one service have in common.
import type { TrackerRows } from "../flow/window.ts";
import type { Finding } from "./detector.ts";
import { addressFilter } from "./suggestions.ts";
import { endpoint } from "./text.ts";

export type PairRow = TrackerRows["pairs"][number];

/** Pairs whose state a detector keeps. */
export const PAIR_CAPACITY = 4096;
export const MINUTE = 60;

/** Services that let people in, by TCP port; programs keep their connections to them for long. */
export const LOGIN_PORTS: Readonly<Record<number, string>> = {
  ...{ 21: "FTP", 22: "SSH", 23: "Telnet", 512: "rexec", 513: "rlogin", 2222: "SSH" },
  ...{ 3389: "RDP", 5900: "VNC" },
};

/** The parts that findings about a pair have in common; `setting` is below `detectors.`. */
export function pairFinding(
  row: PairRow,
  setting: string,
  value: number,
  observed: number,
  windowSeconds: number,
): Pick<
  Finding,
  "entity" | "protocol" | "observed" | "expected" | "threshold" | "windowSeconds" | "samples"
> {
  return {
    entity: {
      ...{ kind: "pair", key: keyOf(row) },
      ...{ source: row.client, destination: row.server, port: row.port },
    },
    protocol: "tcp",
    observed,
    expected: 0,
    threshold: { value, setting: `detectors.${setting}` },
    windowSeconds,
    samples: Math.round(observed),
  };
}

/** What tells one client at one service from another. */
export function keyOf({ client, server, port }: PairRow): string {
  return `${client} > ${endpoint(server, port)}`;
}

/** What the client sends to the service. */
export function pairFilter({ client, server, port }: PairRow): string {
  return `${addressFilter("src", client)} && ${addressFilter("dst", server)} && tcp.dstport == ${port}`;
}
