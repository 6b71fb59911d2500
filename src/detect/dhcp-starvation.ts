// SPDX-License-Identifier: AGPL-3.0-or-later

import type { TrackerRows } from "../flow/window.ts";
import { z } from "../util/zod.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorDefinition, Entity, Finding, Tick } from "./detector.ts";
import { RecentSum } from "./recent-sum.ts";
import { count, number } from "./text.ts";

const settings = z.strictObject({
  borrowed: z
    .int()
    .min(2)
    .default(20)
    .describe(
      "Clients in whose names one machine, which is no relay agent, may ask for addresses within one to two minutes.",
    ),
  unfinished: z
    .int()
    .min(2)
    .default(100)
    .describe(
      "Clients of one segment that may ask within one to two minutes while most never take what is offered.",
    ),
  clients: z
    .int()
    .min(2)
    .default(500)
    .describe("Clients of one segment that may ask within one to two minutes in any case."),
});
type Settings = z.infer<typeof settings>;
type Row = TrackerRows["dhcp_clients"][number];

const CAPACITY = 256;
const MINUTE = 60;

/** Addresses asked for in the names of invented clients until none are left (dhcpstarv, yersinia). */
export const dhcpStarvation: DetectorDefinition<Settings> = {
  name: "dhcp_starvation",
  class: "flood",
  help: "DHCP requests come for very many hardware addresses: from one machine, or from clients that never take what is offered. The server runs out of addresses, and a false one can take its place.",
  severities: ["warning", "critical"],
  settings,
  quietSeconds: 60,
  create: (own) => new DhcpStarvation(own),
};

class DhcpStarvation implements Detector {
  readonly #settings: Settings;
  readonly #asked = new BoundedMap<Record<"discovers" | "requests", RecentSum>>(CAPACITY);

  constructor(own: Settings) {
    this.#settings = own;
  }

  evaluate(tick: Tick): Finding[] {
    return tick.window.rows.dhcp_clients.flatMap((row) => {
      const asked = this.#asked.use(keyOf(row), () => ({
        discovers: new RecentSum(MINUTE),
        requests: new RecentSum(MINUTE),
      }));
      const discovers = asked.discovers.add(row.discovers, tick.elapsedMs);
      const requests = asked.requests.add(row.requests, tick.elapsedMs);
      if (row.discovers + row.requests === 0) return [];
      const setting = this.#exceeded(row, discovers, requests);
      return setting === null ? [] : [this.#finding(row, setting, discovers, requests)];
    });
  }

  #exceeded({ mac, clients }: Row, discovers: number, requests: number): keyof Settings | null {
    const own = this.#settings;
    if (mac !== "") return clients >= own.borrowed ? "borrowed" : null;
    if (clients >= own.unfinished && requests * 2 < discovers) return "unfinished";
    return clients >= own.clients ? "clients" : null;
  }

  #finding(row: Row, setting: keyof Settings, discovers: number, requests: number): Finding {
    const { clients, mac } = row;
    const who = mac === "" ? segmentOf(row) : `${mac} on ${segmentOf(row)}`;
    const how = {
      borrowed: "all in frames of one machine",
      unfinished: "and most of them never take what is offered",
      clients: "far more than a segment has",
    };
    return {
      entity: entityOf(row),
      severity: setting === "clients" ? "warning" : "critical",
      protocol: "dhcp",
      observed: clients,
      expected: 0,
      threshold: {
        value: this.#settings[setting],
        setting: `detectors.dhcp_starvation.${setting}`,
      },
      windowSeconds: 2 * MINUTE,
      samples: Math.round(discovers + requests),
      evidence: [
        `about ${count(clients, "client hardware address", "client hardware addresses")}`,
        `${number(discovers)} DISCOVER and ${number(requests)} REQUEST in the last minute`,
        `in this tick ${number(row.offers)} OFFER, ${number(row.acknowledgments)} ACK, ${number(row.refusals)} NAK`,
      ],
      explanation: `${who} asked for addresses for about ${count(clients, "client")} within two minutes, ${how[setting]}: the DHCP server is being run out of addresses.`,
      suggestion: {
        wireshark_filter:
          mac === "" ? "dhcp.option.dhcp == 1" : `dhcp.option.dhcp == 1 && eth.src == ${mac}`,
        promql: 'rate(nam_dhcp_messages_total{type=~"discover|request"}[1m])',
      },
    };
  }
}

function keyOf({ vlan, relay, mac }: Row): string {
  return `${vlan} ${relay} ${mac}`;
}

function segmentOf({ vlan, relay }: Row): string {
  if (relay !== "") return `the segment of relay ${relay}`;
  return vlan < 0 ? "this segment" : `VLAN ${vlan}`;
}

function entityOf(row: Row): Entity {
  const { relay, mac } = row;
  return {
    kind: "source",
    key: mac || segmentOf(row),
    ...(mac === "" ? {} : { mac }),
    ...(relay === "" ? {} : { source: relay }),
  };
}
