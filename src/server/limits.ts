// SPDX-License-Identifier: AGPL-3.0-or-later

/** What one client may take of the server. */
export interface ServerLimits {
  /** Until a request's headers are complete. */
  readonly headersTimeoutMs: number;
  /** Until a whole request has arrived. */
  readonly requestTimeoutMs: number;
  /** Until the client has taken the whole response. */
  readonly responseTimeoutMs: number;
  /** Between two requests of one connection; longer than a usual scrape interval. */
  readonly keepAliveTimeoutMs: number;
  readonly maxConnections: number;
  readonly maxHeaderBytes: number;
  readonly maxBodyBytes: number;
  /** Requests a client address may make per second in the long run, and at once. */
  readonly requestsPerSecond: number;
  readonly requestBurst: number;
}

export const DEFAULT_LIMITS: ServerLimits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 15_000,
  responseTimeoutMs: 30_000,
  keepAliveTimeoutMs: 75_000,
  maxConnections: 256,
  maxHeaderBytes: 8_192,
  maxBodyBytes: 65_536,
  requestsPerSecond: 50,
  requestBurst: 200,
};
