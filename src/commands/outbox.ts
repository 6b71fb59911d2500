// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Command } from "commander";
import { OutboxClient } from "../alert/outbox/client.ts";
import { systemClock } from "../util/clock.ts";
import type { CommandContext } from "./command.ts";
import { addConfigFlags, readConfig } from "./config-flags.ts";

/** Adds the flags that say where the outbox is; `use` opens it for as long as the work takes. */
export function withOutbox(
  command: Command,
  { io }: CommandContext,
): { use<Result>(work: (outbox: OutboxClient) => Promise<Result>): Promise<Result> } {
  addConfigFlags(command, ["--storage.path <folder>"]);
  return {
    async use(work) {
      const { storage, alerts } = (await readConfig(command, io)).loaded.config;
      const limitBytes = alerts.outbox_max_mib * 2 ** 20;
      const outbox = await OutboxClient.open(storage.path, limitBytes, systemClock);
      try {
        return await work(outbox);
      } finally {
        await outbox.close();
      }
    },
  };
}

/** A time as a person reads it, in UTC. */
export function formatTime(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().replace("T", " ").slice(0, 19);
}

/** Text for a terminal: names off the wire may hold what a terminal obeys. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, "?");
}
