// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "zod";
import { BoundedMap } from "./bounded-map.ts";
import type { DetectorDefinition, Finding } from "./detector.ts";
import { addressFilter } from "./suggestions.ts";
import { count, number } from "./text.ts";

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

const routerSettings = z.strictObject({
  routers: z
    .array(z.ipv6())
    .default([])
    .describe("Link-local addresses of the routers that may advertise; empty: those seen first."),
  settle_seconds: z
    .number()
    .min(0)
    .default(1)
    .describe("Routers that advertise within this time after the first one belong to it."),
  hours: z
    .number()
    .gt(0)
    .default(24)
    .describe("How long a router that does not advertise any more is still known."),
});

/** A router nobody knows says how to leave the network (RFC 6104). */
export const rogueRouter: DetectorDefinition<z.infer<typeof routerSettings>> = {
  name: "rogue_router",
  class: "spoofing",
  help: "An IPv6 router that was not there before advertises itself, or a known one from another MAC: hosts send it their traffic.",
  severities: ["warning", "critical"],
  settings: routerSettings,
  quietSeconds: 60,
  create: (own) => {
    const known = new BoundedMap<{ mac: string; timeMs: number }>(CAPACITY);
    let firstMs = Number.NaN;
    return {
      evaluate: ({ window, elapsedMs, seconds, tainted }) => {
        const rows = window.rows.routers;
        if (rows.length > 0 && Number.isNaN(firstMs)) firstMs = elapsedMs;
        const isSettling = elapsedMs - firstMs < own.settle_seconds * 1000 && rows.length < 4;
        return rows.flatMap((row) => {
          const { router, mac } = row;
          const before = known.peek(router);
          const isSame = before?.mac === mac && elapsedMs - before.timeMs < own.hours * HOUR_MS;
          const trusted =
            own.routers.length > 0 ? own.routers.includes(router) : isSame || isSettling;
          if (trusted) {
            if (!tainted || before)
              known.use(router, () => ({ mac, timeMs: 0 })).timeMs = elapsedMs;
            return [];
          }
          const others = [...known.entries()].map(([address, one]) => `${address} (${one.mac})`);
          const rogue: Finding = {
            entity: { kind: "source", key: `${router} ${mac}`, source: router, mac },
            severity: before || rows.length > 3 ? "critical" : "warning",
            protocol: "icmpv6",
            observed: row.advertisements,
            expected: 0,
            threshold: { value: own.routers.length, setting: "detectors.rogue_router.routers" },
            windowSeconds: seconds,
            samples: row.advertisements,
            evidence: [
              `${router} (${mac || "no MAC"}), lifetime ${number(row.lifetimeSeconds)} s`,
              `known: ${others.slice(-3).join(", ") || "none"}`,
              `${count(rows.length, "router")} in this tick`,
            ],
            explanation: `${router} (${mac || "no MAC"}) advertises itself as an IPv6 router and is not one of those known: hosts may send it their traffic.`,
            suggestion: {
              wireshark_filter: `icmpv6.type == 134 && ${addressFilter("src", router)}`,
              promql: 'rate(nam_transport_packets_total{protocol="icmpv6"}[5m])',
            },
          };
          return [rogue];
        });
      },
    };
  },
};
