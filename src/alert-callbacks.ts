// SPDX-License-Identifier: AGPL-3.0-or-later
import type { AlertRouter } from "./alert/router.ts";
import { readSilence } from "./alert/silence-input.ts";
import { isActive, SILENCES_MAX } from "./alert/silences.ts";
import type { SilenceCallbacks } from "./server/contract.ts";
import type { Clock } from "./util/clock.ts";

/** The silences of the alert stage, as the API serves them. */
export function silenceCallbacks(router: AlertRouter, clock: Clock): SilenceCallbacks {
  const { silences } = router;
  return {
    list: () => {
      const nowMs = clock.now();
      return {
        silences: silences
          .list()
          .map((silence) => ({ ...silence, active: isActive(silence, nowMs) })),
        maintenance: silences.maintained(),
      };
    },
    add: (input) => {
      const result = readSilence(input, clock.now());
      if ("problem" in result) return result;
      const silence = silences.add(result.silence);
      if (!silence) return { problem: `there are ${SILENCES_MAX} silences already` };
      router.hush();
      return { silence };
    },
    remove: (id) => silences.remove(id),
  };
}

/** How every channel is doing, as the API serves it. */
export function channelStates(router: AlertRouter): unknown[] {
  return router.status().map(({ name, waiting, overdueSeconds, suspended, dead, trouble }) => ({
    channel: name,
    waiting,
    overdue_seconds: overdueSeconds,
    suspended,
    dead_letters: dead,
    trouble,
  }));
}

/** A replay tells nobody anything, so there is nothing to silence. */
export const noSilences: SilenceCallbacks = {
  list: () => ({ silences: [], maintenance: [] }),
  add: () => ({ problem: "a replay sends no messages" }),
  remove: () => false,
};
