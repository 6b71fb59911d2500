// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { DetectorDefinition, Finding } from "./detector.ts";
import { addressFilter } from "./suggestions.ts";
import { count } from "./text.ts";

const CAPACITY = 256;
const HOUR_MS = 3_600_000;

const dhcpSettings = z.strictObject({
  servers: z
    .array(z.ipv4())
    .default([])
    .describe("Addresses of the DHCP servers that may answer; empty: whoever was seen first."),
  hours: z
    .number()
    .gt(0)
    .default(24)
    .describe("How long a server that does not answer any more is still the known one."),
});

/** A second DHCP server that sends clients to another router or DNS server. */
export const rogueDhcp: DetectorDefinition<z.infer<typeof dhcpSettings>> = {
  name: "rogue_dhcp",
  class: "spoofing",
  help: "A DHCP server names another router or DNS server than the one known so far, or is not one of those allowed.",
  severities: ["critical"],
  settings: dhcpSettings,
  quietSeconds: 60,
  create: (own) => {
    const known = new BoundedMap<{ names: string; timeMs: number }>(CAPACITY);
    return {
      evaluate: ({ window, elapsedMs, seconds }) =>
        window.rows.dhcp_servers.flatMap((row) => {
          const { server, mac, router, dnsServer } = row;
          const names = `router ${router || "none"}, DNS ${dnsServer || "none"}`;
          const others = [...known.entries()].filter(
            ([address, one]) => address !== server && elapsedMs - one.timeMs < own.hours * HOUR_MS,
          );
          const differs = others.find(([, one]) => one.names !== names);
          const isAllowed = own.servers.length > 0 && own.servers.includes(server);
          const isRogue = own.servers.length > 0 ? !isAllowed : differs !== undefined;
          if (!isRogue) {
            known.use(server, () => ({ names, timeMs: 0 })).timeMs = elapsedMs;
            return [];
          }
          const usual = differs ? `${differs[0]} (${differs[1].names})` : own.servers.join(", ");
          const rogue: Finding = {
            entity: { kind: "source", key: `${server} ${mac}`, source: server, mac },
            severity: "critical",
            protocol: "dhcp",
            observed: row.replies,
            expected: 0,
            threshold: { value: own.servers.length, setting: "detectors.rogue_dhcp.servers" },
            windowSeconds: seconds,
            samples: row.replies,
            evidence: [
              `${server} (${mac || "no MAC"}) names ${names}`,
              `known: ${usual}`,
              count(row.replies, "reply", "replies"),
            ],
            explanation: `${server} answers DHCP with ${names}, unlike ${usual}: whoever believes it sends its traffic there.`,
            suggestion: {
              wireshark_filter: `dhcp && ${addressFilter("src", server)}`,
              promql: 'rate(nam_dhcp_messages_total{type=~"offer|ack"}[5m])',
            },
          };
          return [rogue];
        }),
    };
  },
};
