// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricsRegistry } from "../metrics/registry.ts";
import { type Clock, systemClock } from "../util/clock.ts";
import { isLocalAddress } from "../util/listen-address.ts";
import type { Log } from "../util/log.ts";
import { appFactory } from "./app.ts";
import type { ServerCallbacks } from "./contract.ts";
import { DEFAULT_LIMITS, type ServerLimits } from "./limits.ts";
import { addressOf, type Listener, listen } from "./listener.ts";
import { LiveWebConfig } from "./live-web-config.ts";
import { RateLimit } from "./rate-limit.ts";

/** Time that running answers get when the server closes. */
const CLOSE_GRACE_MS = 1_000;

export interface ServerOptions {
  /** As in `web.listen_address`; port 0 takes any free one. */
  readonly listen: readonly string[];
  readonly telemetryPath: string;
  /** Exporter-toolkit file with TLS and basic authentication, or null. */
  readonly webConfigFile: string | null;
  /** Serve page and API without authentication beyond loopback. */
  readonly allowRemoteApi: boolean;
  /** Where the source of this version is, or null. */
  readonly sourceUrl: string | null;
  readonly registry: MetricsRegistry;
  readonly callbacks: ServerCallbacks;
  readonly log: Log;
  readonly limits?: Partial<ServerLimits>;
  readonly clock?: Clock;
}

export interface RunningServer {
  /** What was bound, e.g. `http://127.0.0.1:9977`, in the order asked for. */
  readonly addresses: readonly string[];
  /** Frees every address; answers that still run get a second. */
  close(): Promise<void>;
}

/**
 * Serves metrics, health, reload, API and page on every address, or on none: throws LISTEN when one cannot be bound,
 * CONFIG_READ or CONFIG_INVALID when the web configuration file is unusable.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const clock = options.clock ?? systemClock;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const { webConfigFile, log } = options;
  const webConfig = webConfigFile === null ? null : new LiveWebConfig(webConfigFile, clock, log);
  const requests = new RateLimit(limits.requestsPerSecond, limits.requestBurst);
  const users = (): Readonly<Record<string, string>> =>
    webConfig?.current().config.basic_auth_users ?? {};
  const isAuthenticated = (): boolean =>
    Object.keys(users()).length > 0 ||
    webConfig?.current().config.tls_server_config?.client_auth_type ===
      "RequireAndVerifyClientCert";
  const createApp = appFactory({ ...options, users, isAuthenticated, limits, clock }, requests);
  const listeners: Listener[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(listeners.map((listener) => listener.close(CLOSE_GRACE_MS)));
  };
  try {
    for (const text of options.listen) {
      const app = createApp(isLocalAddress(addressOf(text)));
      listeners.push(await listen(text, app, limits, webConfig, log));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { addresses: listeners.map(({ address }) => address), close };
}
