// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Anomaly } from "../../detect/detector.ts";
import type { Outbox } from "./outbox.ts";
import type { DeadLetter, StoredRequest } from "./records.ts";

/** What a request can have done to a channel. */
export interface Obedient {
  /** Tells anomalies again that were given up. */
  revive(anomalies: readonly Anomaly[]): void;
  /** Gives up what waits, all of it where no incident is named. */
  purge(ids: readonly string[]): number;
}

/** Does everything that other programs have asked of the agent, and forgets that it was asked. */
export function obey(outbox: Outbox, channels: ReadonlyMap<string, Obedient>): void {
  for (const { id, body } of outbox.list("request")) {
    for (const [name, channel] of channels) {
      if (body.channel === null || body.channel === name) perform(body, outbox, name, channel);
    }
    outbox.delete("request", "", id);
  }
}

function perform(
  { action, what, ids }: StoredRequest,
  outbox: Outbox,
  name: string,
  channel: Obedient,
): void {
  if (what === "waiting") {
    if (action === "purge") channel.purge(ids);
    return;
  }
  const letters = outbox
    .list("dead", name)
    .filter(({ id }) => ids.length === 0 || ids.includes(id));
  for (const { id } of letters) outbox.delete("dead", name, id);
  if (action === "retry") channel.revive(letters.map(({ body }) => revived(outbox, body)));
}

/** What a dead letter is about, as it is now: an incident that is not open any more is over. */
function revived(outbox: Outbox, { anomaly }: DeadLetter): Anomaly {
  if (outbox.get("incident", "", anomaly.id)) return anomaly;
  return { ...anomaly, state: "resolved" };
}
