// SPDX-License-Identifier: AGPL-3.0-or-later
import { randomUUID } from "node:crypto";
import type { Clock } from "../util/clock.ts";
import type { Alert, Delivery, Notifier } from "./alert.ts";
import { attempt } from "./attempt.ts";

/** Sends one message that is clearly marked as a test, past all queues and limits, and says what came of it. */
export async function sendTest(
  notifier: Notifier,
  options: { readonly agent: string; readonly clock: Clock; readonly signal?: AbortSignal },
): Promise<Delivery> {
  const nowMs = options.clock.now();
  const alert: Alert = {
    id: randomUUID(),
    state: "open",
    severity: "info",
    anomalies: [],
    more: 0,
    createdMs: nowMs,
    sentMs: nowMs,
    agent: options.agent,
    test: true,
  };
  return attempt(notifier, alert, options.signal ?? new AbortController().signal, options.clock);
}
