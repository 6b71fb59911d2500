// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Outbox } from "./outbox.ts";

/**
 * Forgets what is stored for channels that are not configured: what waits since before `olderMs`, and what was told of
 * incidents that are over. The rest is kept, in case the channel comes back.
 */
export function forgetStrangers(
  outbox: Outbox,
  channels: ReadonlySet<string>,
  olderMs: number,
): void {
  for (const { channel, id, body } of outbox.list("waiting")) {
    if (!channels.has(channel) && body.acceptedMs < olderMs) outbox.delete("waiting", channel, id);
  }
  for (const { channel, id, body } of outbox.list("dead")) {
    if (!channels.has(channel) && body.atMs < olderMs) outbox.delete("dead", channel, id);
  }
  for (const { channel, id } of outbox.list("told")) {
    const isOpen = outbox.get("incident", "", id) !== undefined;
    const isWaiting = outbox.get("waiting", channel, id) !== undefined;
    if (!isOpen && !isWaiting) outbox.delete("told", channel, id);
  }
}
