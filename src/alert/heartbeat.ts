// SPDX-License-Identifier: AGPL-3.0-or-later
import { randomUUID } from "node:crypto";
import type { Alert } from "./alert.ts";

/** When a channel's next sign of life is due: at once, then at equal distances. Times are monotonic milliseconds. */
export class Heartbeat {
  #intervalMs: number;
  #dueMs: number;

  /** An interval of 0 means never. */
  constructor(intervalMs: number, nowMs: number) {
    this.#intervalMs = intervalMs;
    this.#dueMs = nowMs;
  }

  reconfigure(intervalMs: number, nowMs: number): void {
    if (this.#intervalMs === 0) this.#dueMs = nowMs;
    this.#intervalMs = intervalMs;
  }

  /** Infinite where none is wanted. */
  get dueMs(): number {
    return this.#intervalMs > 0 ? this.#dueMs : Number.POSITIVE_INFINITY;
  }

  /** One was sent, or will never be accepted. */
  done(nowMs: number): void {
    this.#dueMs = nowMs + this.#intervalMs;
  }
}

/** The message. It is never late: what counts is when it comes. */
export function heartbeatAlert(agent: string, wallMs: number): Alert {
  return {
    id: randomUUID(),
    state: "resolved",
    severity: "info",
    anomalies: [],
    more: 0,
    createdMs: wallMs,
    sentMs: wallMs,
    agent,
    test: false,
    heartbeat: true,
  };
}
