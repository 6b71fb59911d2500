// SPDX-License-Identifier: AGPL-3.0-or-later
import { BlockList, isIP } from "node:net";
import { z } from "../util/zod.ts";
import type { Entity, Finding } from "./detector.ts";

const PREFIX = /^[0-9a-fA-F.:]+(?:\/\d{1,3})?$/;

/** Settings under `detectors.allow`: what no detector speaks of. */
export const allowSettings = z.strictObject({
  networks: z
    .array(
      z
        .string()
        .regex(PREFIX, "must be an address, or a network like 192.0.2.0/24")
        .refine(isNetwork, "must be an address, or a network like 192.0.2.0/24"),
    )
    .default([])
    .describe(
      "Addresses and networks whose doings, or what is done between them and others, are not told.",
    ),
  domains: z
    .array(z.string().min(1))
    .default([])
    .describe("Domains that are not told, with all names below them."),
  ports: z
    .array(z.int().min(0).max(65_535))
    .default([])
    .describe("Ports of services that are not told."),
  processes: z
    .array(z.string().min(1))
    .default([])
    .describe("Names of processes that are not told."),
  fingerprints: z
    .array(z.string().min(1))
    .default([])
    .describe("JA3, JA4 and HASSH fingerprints of clients that are not told."),
});
export type AllowSettings = z.infer<typeof allowSettings>;

/** Decides whether a finding is about something that the operator allows. */
export class AllowList {
  readonly #networks = new BlockList();
  readonly #domains: readonly string[];
  readonly #ports: ReadonlySet<number>;
  readonly #processes: ReadonlySet<string>;
  readonly #fingerprints: ReadonlySet<string>;

  constructor(settings: AllowSettings) {
    for (const network of settings.networks) {
      const [address = "", length] = network.split("/");
      const family = isIP(address) === 6 ? "ipv6" : "ipv4";
      const bits = length === undefined ? (family === "ipv6" ? 128 : 32) : Number(length);
      this.#networks.addSubnet(address, bits, family);
    }
    this.#domains = settings.domains.map((domain) => domain.toLowerCase());
    this.#ports = new Set(settings.ports);
    this.#processes = new Set(settings.processes);
    this.#fingerprints = new Set(settings.fingerprints);
  }

  allows({ entity }: Finding): boolean {
    return (
      this.#hasAddress(entity) ||
      (entity.domain !== undefined && this.#hasDomain(entity.domain)) ||
      (entity.port !== undefined && this.#ports.has(entity.port)) ||
      (entity.process !== undefined && this.#processes.has(entity.process)) ||
      (entity.fingerprint !== undefined && this.#fingerprints.has(entity.fingerprint))
    );
  }

  #hasAddress({ source, destination }: Entity): boolean {
    return [source, destination].some((address) => {
      const version = address === undefined ? 0 : isIP(address);
      if (address === undefined || version === 0) return false;
      return this.#networks.check(address, version === 6 ? "ipv6" : "ipv4");
    });
  }

  #hasDomain(name: string): boolean {
    const lower = name.toLowerCase();
    return this.#domains.some((domain) => lower === domain || lower.endsWith(`.${domain}`));
  }
}

function isNetwork(text: string): boolean {
  const [address = "", length] = text.split("/");
  const version = isIP(address);
  return version !== 0 && (length === undefined || Number(length) <= (version === 6 ? 128 : 32));
}
