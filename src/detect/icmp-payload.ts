// SPDX-License-Identifier: AGPL-3.0-or-later

import type { TrackerRows } from "../flow/window.ts";
import { z } from "../util/zod.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { DetectorDefinition, Finding } from "./detector.ts";
import { RecentSum } from "./recent-sum.ts";
import { addressFilter } from "./suggestions.ts";
import { bytes, count, number } from "./text.ts";

type TalkRow = TrackerRows["icmp_talks"][number];

const CAPACITY = 2048;
const WINDOW_SECONDS = 60;

const tunnelSettings = z.strictObject({
  mismatches: z
    .int()
    .min(1)
    .default(5)
    .describe("Replies within a minute that did not return their request's data."),
  length_changes: z
    .int()
    .min(1)
    .default(20)
    .describe("Messages within a minute whose length was not that of the one before."),
  bytes: z
    .int()
    .min(1)
    .default(4096)
    .describe("Least bytes of data within a minute for the lengths to mean anything."),
});

/** Data carried in pings. */
export const icmpTunnel: DetectorDefinition<z.infer<typeof tunnelSettings>> = {
  name: "icmp_tunnel",
  class: "tunnel",
  help: "Pings between two hosts carry data: lengths that keep changing, or replies that are not what was sent.",
  severities: ["warning"],
  settings: tunnelSettings,
  quietSeconds: 60,
  create: (own) => {
    const sums = new BoundedMap<Record<"mismatches" | "changes" | "bytes", RecentSum>>(CAPACITY);
    return {
      evaluate: ({ window, elapsedMs }) =>
        window.rows.icmp_talks.flatMap((row) => {
          if (row.lengthChanges + row.mismatches === 0 && !sums.peek(keyOf(row))) return [];
          const sum = sums.use(keyOf(row), () => ({
            mismatches: new RecentSum(WINDOW_SECONDS),
            changes: new RecentSum(WINDOW_SECONDS),
            bytes: new RecentSum(WINDOW_SECONDS),
          }));
          const mismatches = sum.mismatches.add(row.mismatches, elapsedMs);
          const changes = sum.changes.add(row.lengthChanges, elapsedMs);
          const data = sum.bytes.add(row.payloadBytes, elapsedMs);
          const forged = mismatches >= own.mismatches;
          if (!forged && (changes < own.length_changes || data < own.bytes)) return [];
          const setting = forged ? "mismatches" : "length_changes";
          return [
            talkFinding(row, {
              observed: forged ? mismatches : changes,
              threshold: { value: own[setting], setting: `detectors.icmp_tunnel.${setting}` },
              windowSeconds: WINDOW_SECONDS,
              evidence: [
                `${bytes(data)} of data within a minute`,
                `${count(changes, "change")} of length, ${count(mismatches, "reply", "replies")} with other data than the request`,
              ],
              explanation: `Pings between ${row.source} and ${row.destination} carried ${bytes(data)} of ever-changing data within a minute: this looks like a tunnel.`,
            }),
          ];
        }),
    };
  },
};

const oversizedSettings = z.strictObject({
  payload: z
    .int()
    .min(64)
    .default(1473)
    .describe("Bytes of data from which a ping is oversized: more than fits into one packet."),
  messages: z
    .int()
    .min(1)
    .default(5)
    .describe("Oversized messages between two hosts within a minute that are told."),
});

/** Pings longer than a packet (ping of death and its kin). */
export const icmpOversized: DetectorDefinition<z.infer<typeof oversizedSettings>> = {
  name: "icmp_oversized",
  class: "flood",
  help: "Pings between two hosts are longer than a packet, as no diagnosis but a test of the path's size needs.",
  severities: ["info", "warning"],
  settings: oversizedSettings,
  quietSeconds: 60,
  create: (own) => {
    const sums = new BoundedMap<RecentSum>(CAPACITY);
    return {
      evaluate: ({ window, elapsedMs }) =>
        window.rows.icmp_talks.flatMap((row) => {
          if (row.longest < own.payload) return [];
          const messages = sums
            .use(keyOf(row), () => new RecentSum(WINDOW_SECONDS))
            .add(row.requests + row.replies, elapsedMs);
          if (messages < own.messages) return [];
          return [
            {
              ...talkFinding(row, {
                observed: row.longest,
                threshold: { value: own.payload, setting: "detectors.icmp_oversized.payload" },
                windowSeconds: WINDOW_SECONDS,
                evidence: [
                  `${count(messages, "message")} within a minute, the longest ${bytes(row.longest)}`,
                ],
                explanation: `${row.source} and ${row.destination} exchange pings with ${number(row.longest)} bytes of data: more than a packet holds, and more than a diagnosis needs.`,
              }),
              severity: messages >= 10 * own.messages ? ("warning" as const) : ("info" as const),
            },
          ];
        }),
    };
  },
};

function talkFinding(
  row: TalkRow,
  parts: Pick<Finding, "observed" | "threshold" | "windowSeconds" | "evidence" | "explanation">,
): Finding {
  const protocol = row.ipVersion === 6 ? "icmpv6" : "icmp";
  return {
    entity: {
      ...{ kind: "pair", key: keyOf(row) },
      ...{ source: row.source, destination: row.destination },
    },
    severity: "warning",
    protocol,
    expected: 0,
    samples: row.requests + row.replies,
    suggestion: {
      wireshark_filter: `${addressFilter("src", row.source)} && ${addressFilter("dst", row.destination)} && ${protocol}`,
      promql: `rate(nam_transport_bytes_total{protocol="${protocol}"}[1m])`,
    },
    ...parts,
  };
}

function keyOf({ source, destination }: TalkRow): string {
  return `${source} > ${destination}`;
}
