// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Clock } from "../util/clock.ts";
import type { Alert, Delivery, Notifier } from "./alert.ts";

/** A notifier has time limits of its own; this one only keeps a broken one from holding up its channel. */
const ATTEMPT_MAX_MS = 60_000;

const TIMED_OUT: Delivery = {
  outcome: "retry",
  reason: "timeout",
  detail: `no answer within ${ATTEMPT_MAX_MS / 1_000} s`,
};

const STOPPED: Delivery = {
  outcome: "retry",
  reason: "network",
  detail: "stopped before the channel answered",
};

/** One attempt to deliver. Always settles, at once after `stop`, and never rejects, whatever the notifier does. */
export async function attempt(
  notifier: Notifier,
  alert: Alert,
  stop: AbortSignal,
  clock: Clock,
): Promise<Delivery> {
  if (stop.aborted) return STOPPED;
  const controller = new AbortController();
  const { signal } = controller;
  let cancelLimit = (): void => {};
  const ended = new Promise<Delivery>((resolve) => {
    const end = (delivery: Delivery) => (): void => {
      resolve(delivery);
      controller.abort();
    };
    stop.addEventListener("abort", end(STOPPED), { once: true, signal });
    cancelLimit = clock.after(ATTEMPT_MAX_MS, end(TIMED_OUT));
  });
  try {
    return await Promise.race([notifier.send(alert, signal), ended]);
  } catch (error) {
    // Only the kind of the error: its message may hold a URL.
    const kind = error instanceof Error ? error.name : typeof error;
    return {
      outcome: "retry",
      reason: "network",
      detail: `the channel's code failed with ${kind}`,
    };
  } finally {
    cancelLimit();
    // Also lets go of `stop`, which lives as long as the program.
    controller.abort();
  }
}
