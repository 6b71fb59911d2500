// SPDX-License-Identifier: AGPL-3.0-or-later
import { afterEach } from "vitest";
import { MetricsRegistry } from "../../src/metrics/registry.ts";
import type { AgentStatus, EventPage, EventQuery } from "../../src/server/contract.ts";
import { type RunningServer, type ServerOptions, startServer } from "../../src/server/server.ts";
import { NamError } from "../../src/util/errors.ts";
import { createLog } from "../../src/util/log.ts";

export const status: AgentStatus = {
  agent: "gateway",
  version: "1.2.3",
  revision: "abcdef0",
  started: 1_700_000_000,
  ready: true,
  reason: "",
  stealth: false,
  learning: { seconds_left: 0, signals: 100, signals_ready: 100 },
  captures: [
    {
      interface: "eth0",
      source: "afpacket",
      up: true,
      packets_per_second: 1234.4,
      bytes_per_second: 1_000_000,
      packets: 5_000_000,
      dropped: 7,
    },
  ],
  active: [],
};

/** The product behind the server, as plainly as can be; tests change its fields. */
export class Product {
  readonly registry = new MetricsRegistry();
  readonly log: string[] = [];
  status = status;
  reloads = 0;
  reloadError: Error | null = null;
  queries: EventQuery[] = [];
  silences: unknown[] = [];
  page: EventPage = { events: [], next: null };
}

const running: RunningServer[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()));
});

/** A server on a free loopback port, closed after the test. */
export async function serve(
  product: Product,
  options: Partial<ServerOptions> = {},
): Promise<{ readonly url: string; readonly server: RunningServer }> {
  const server = await startServer({
    listen: ["127.0.0.1:0"],
    telemetryPath: "/metrics",
    webConfigFile: null,
    allowRemoteApi: false,
    sourceUrl: "https://example.org/source",
    registry: product.registry,
    log: createLog({
      level: "debug",
      format: "json",
      target: { write: (line) => product.log.push(line) },
    }),
    callbacks: {
      ready: () => ({ ready: product.status.ready, reason: product.status.reason }),
      reload: async () => {
        product.reloads++;
        if (product.reloadError) throw product.reloadError;
      },
      status: () => product.status,
      events: (query) => {
        product.queries.push(query);
        return product.page;
      },
      alerts: () => ({ active: [], channels: [] }),
      silences: {
        list: () => ({ silences: product.silences }),
        add: (input) => {
          if (input === undefined || Object.keys(input as object).length === 0) {
            return { problem: "reason: is required" };
          }
          product.silences.push(input);
          return { silence: input };
        },
        remove: (id) => id === "known",
      },
      config: () => ({ web: { telemetry_path: "/metrics" } }),
    },
    ...options,
  });
  running.push(server);
  return { url: server.addresses[0] ?? "", server };
}

export function badConfig(message: string): NamError {
  return new NamError("CONFIG_INVALID", message);
}
