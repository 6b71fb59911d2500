// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../util/zod.ts";
import { ArpClaims, type ArpRow, type Dispute } from "./arp-claims.ts";
import {
  announcementFlood,
  type MacClaims,
  manyAddresses,
  spoofedAddress,
} from "./arp-findings.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorContext, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { Hysteresis } from "./guards.ts";

const CAPACITY = 4096;

const settings = z.strictObject({
  stable_seconds: z
    .number()
    .min(1)
    .default(600)
    .describe("A binding of an address to a MAC is relied on once it lasted this long."),
  stable_sightings: z
    .int()
    .min(1)
    .default(3)
    .describe("A binding is relied on only after this many ARP packets confirmed it."),
  gateways: z
    .array(z.ipv4())
    .default([])
    .describe(
      "Addresses of routers, besides those this machine is known to use: any change of their MAC is critical.",
    ),
  usual_gateways: z
    .boolean()
    .default(true)
    .describe("Take addresses that end in .1 or .254 for routers when judging the severity."),
  announcements: z
    .number()
    .gt(0)
    .default(5)
    .describe("Gratuitous ARP packets a second from one MAC that are a flood."),
  addresses: z
    .int()
    .min(2)
    .default(8)
    .describe("More addresses than this, claimed by one MAC within 5 minutes, are worth knowing."),
});
type Settings = z.infer<typeof settings>;

/** Someone answers ARP for an address that is not theirs. */
export const arpSpoof: DetectorDefinition<Settings> = {
  name: "arp_spoof",
  class: "spoofing",
  help: "An address moves to another MAC while its holder is still there, one MAC floods announcements, or claims very many addresses. Knows VRRP, HSRP, GLBP and addresses that change hands by DHCP.",
  severities: ["info", "warning", "critical"],
  settings,
  quietSeconds: 60,
  create: (own, context) => new ArpSpoof(own, context),
};

class ArpSpoof implements Detector {
  readonly #settings: Settings;
  readonly #gateways: ReadonlySet<string>;
  readonly #claims = new BoundedMap<ArpClaims>(CAPACITY);
  readonly #floods = new BoundedMap<Hysteresis>(CAPACITY);

  constructor(own: Settings, context: DetectorContext) {
    this.#settings = own;
    this.#gateways = new Set([...own.gateways, ...(context.gateways ?? [])]);
  }

  evaluate(tick: Tick): Finding[] {
    const rows = tick.window.rows.arp;
    const findings: Finding[] = [];
    for (const row of rows) {
      const dispute = this.#dispute(row, tick.elapsedMs);
      if (!dispute) continue;
      const router = this.#isRouter(row.address);
      findings.push(spoofedAddress(tick, row, dispute, router, this.#settings.stable_seconds));
    }
    for (const claims of byMac(rows)) {
      const { announcements, addresses } = this.#settings;
      if (this.#floodsNow(claims, tick)) {
        findings.push(announcementFlood(tick, claims, announcements));
      }
      if (claims.addresses > addresses) findings.push(manyAddresses(tick, claims, addresses));
    }
    return findings;
  }

  #dispute(row: ArpRow, elapsedMs: number): Dispute | null {
    const { stable_seconds, stable_sightings } = this.#settings;
    const reliable =
      row.previousAgeMs >= stable_seconds * 1000 && row.previousSightings >= stable_sightings;
    return this.#claims
      .use(row.address, () => new ArpClaims())
      .claimed(row, elapsedMs, reliable, this.#gateways.has(row.address));
  }

  #isRouter(address: string): boolean {
    const usual = this.#settings.usual_gateways && /\.(1|254)$/.test(address);
    return usual || this.#gateways.has(address);
  }

  #floodsNow({ mac, gratuitous }: MacClaims, { seconds }: Tick): boolean {
    const limit = this.#settings.announcements;
    const rate = gratuitous / Math.max(1, seconds);
    if (rate < limit && !this.#floods.peek(mac)) return false;
    return this.#floods.use(mac, () => new Hysteresis()).update(rate, limit, limit / 2);
  }
}

function byMac(rows: readonly ArpRow[]): MacClaims[] {
  const macs = new Map<string, MacClaims>();
  for (const { mac, address, gratuitous, addressesOfMac } of rows) {
    const known = macs.get(mac);
    macs.set(mac, {
      mac,
      claimed: [...(known?.claimed ?? []), address],
      gratuitous: (known?.gratuitous ?? 0) + gratuitous,
      addresses: Math.max(known?.addresses ?? 0, addressesOfMac),
    });
  }
  return [...macs.values()];
}
