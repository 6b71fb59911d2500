// SPDX-License-Identifier: AGPL-3.0-or-later

import type { TrackerRows } from "../flow/window.ts";
import { z } from "../util/zod.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorDefinition, Finding, Severity, Tick } from "./detector.ts";
import { addressFilter } from "./suggestions.ts";
import { count, number } from "./text.ts";

const CAPACITY = 256;
const HOUR_MS = 3_600_000;
/** New routers in one tick beyond which it is a flood of them. */
const FEW_ROUTERS = 3;

const settings = z.strictObject({
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
type Settings = z.infer<typeof settings>;
type Row = TrackerRows["routers"][number];

/** A router nobody knows says how to leave the network (RFC 6104). */
export const rogueRouter: DetectorDefinition<Settings> = {
  name: "rogue_router",
  class: "spoofing",
  help: "An IPv6 router that was not there before advertises itself, or a known one from another MAC: hosts send it their traffic. One that is no default router, or announces what a known one does and claims no precedence, is an info.",
  severities: ["info", "warning", "critical"],
  settings,
  quietSeconds: 60,
  create: (own) => new RogueRouter(own),
};

interface Known {
  readonly row: Row;
  readonly timeMs: number;
}

class RogueRouter implements Detector {
  readonly #settings: Settings;
  readonly #known = new BoundedMap<Known>(CAPACITY);
  #firstMs = Number.NaN;

  constructor(own: Settings) {
    this.#settings = own;
  }

  evaluate(tick: Tick): Finding[] {
    const rows = tick.window.rows.routers;
    if (rows.length > 0 && Number.isNaN(this.#firstMs)) this.#firstMs = tick.elapsedMs;
    return rows.flatMap((row) => {
      if (!this.#isTrusted(row, tick, rows.length)) return [this.#finding(row, tick, rows.length)];
      this.#learn(row, tick);
      return [];
    });
  }

  #isTrusted({ router, mac }: Row, { elapsedMs }: Tick, routers: number): boolean {
    const { routers: allowed, hours, settle_seconds: settleSeconds } = this.#settings;
    if (allowed.length > 0) return allowed.includes(router);
    const before = this.#known.peek(router);
    if (before?.row.mac === mac && elapsedMs - before.timeMs < hours * HOUR_MS) return true;
    return elapsedMs - this.#firstMs < settleSeconds * 1000 && routers <= FEW_ROUTERS;
  }

  #learn(row: Row, { elapsedMs, tainted }: Tick): void {
    if (tainted && !this.#known.peek(row.router)) return;
    this.#known.delete(row.router);
    this.#known.use(row.router, () => ({ row, timeMs: elapsedMs }));
  }

  /** A second router beside a known one, as networks have them that must not depend on one. */
  #isHarmless(row: Row): boolean {
    if (row.lifetimeSeconds === 0) return true;
    const known = [...this.#known.entries()].map(([, { row: other }]) => other);
    return known.some(
      ({ prefix, preference }) =>
        prefix !== "" && prefix === row.prefix && row.preference <= preference,
    );
  }

  #severity(row: Row, routers: number): Severity {
    if (this.#known.peek(row.router) || routers > FEW_ROUTERS) return "critical";
    return this.#settings.routers.length === 0 && this.#isHarmless(row) ? "info" : "warning";
  }

  #finding(row: Row, tick: Tick, routers: number): Finding {
    const { router, mac, prefix, preference } = row;
    const severity = this.#severity(row, routers);
    const others = [...this.#known.entries()].map(
      ([address, known]) => `${address} (${known.row.mac})`,
    );
    if (severity === "info") this.#learn(row, tick);
    const allowed = this.#settings.routers;
    return {
      entity: { kind: "source", key: `${router} ${mac}`, source: router, mac },
      severity,
      protocol: "icmpv6",
      observed: row.advertisements,
      expected: 0,
      threshold: { value: allowed.length, setting: "detectors.rogue_router.routers" },
      windowSeconds: tick.seconds,
      samples: row.advertisements,
      evidence: [
        `${router} (${mac || "no MAC"}), lifetime ${number(row.lifetimeSeconds)} s`,
        `prefix ${prefix || "none"}, preference ${["low", "medium", "high"][preference + 1]}`,
        `known: ${others.slice(-3).join(", ") || "none"}`,
        `${count(routers, "router")} in this tick`,
      ],
      explanation: `${router} (${mac || "no MAC"}) advertises itself as an IPv6 router and ${meaning(severity)}.`,
      suggestion: {
        wireshark_filter: `icmpv6.type == 134 && ${addressFilter("src", router)}`,
        promql: 'rate(nam_transport_packets_total{protocol="icmpv6"}[5m])',
      },
    };
  }
}

function meaning(severity: Severity): string {
  return severity === "info"
    ? "was not seen before; it takes no precedence over the ones that are known"
    : "is not one of those known: hosts may send it their traffic";
}
