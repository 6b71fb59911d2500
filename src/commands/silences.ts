// SPDX-License-Identifier: AGPL-3.0-or-later
import { randomUUID } from "node:crypto";
import { userInfo } from "node:os";
import { Command } from "commander";
import { readSilence } from "../alert/silence-input.ts";
import { isActive } from "../alert/silences.ts";
import { systemClock } from "../util/clock.ts";
import { NamError } from "../util/errors.ts";
import type { CommandContext } from "./command.ts";
import { formatTime, printable, withOutbox } from "./outbox.ts";
import { formatTable } from "./table.ts";

const EXAMPLES = `
Examples:
  nam silences add --reason "penetration test" --for 8h source=10.0.0.5
  nam silences add --reason "backup runs late" --for 90m detector=volume_* destination=10.0.0.9
  nam silences list
  nam silences remove 1f6b0c2d
A silence hides messages, never events or metrics. The end of what was told before is told all the same.
A running agent takes a change within a second.
`;

/** `nam silences`: what is known and need not be told. */
export function silencesSubcommand(context: CommandContext): Command {
  return new Command("silences")
    .description("List, add and remove silences, which hide messages for a time.")
    .addCommand(list(context))
    .addCommand(add(context))
    .addCommand(remove(context))
    .addHelpText("after", EXAMPLES);
}

function list(context: CommandContext): Command {
  const { stdout } = context.io;
  const command = new Command("list")
    .description("List silences, those of the last day included that are over.")
    .option("--json", "Print JSON.");
  const outbox = withOutbox(command, context);
  return command.action(async ({ json }: { readonly json?: true }) => {
    const silences = await outbox.use((client) => client.list("silence"));
    const nowMs = systemClock.now();
    const sorted = silences.map(({ body }) => body).sort((a, b) => b.created - a.created);
    if (json) stdout.write(`${JSON.stringify(sorted, null, 2)}\n`);
    else if (sorted.length === 0) stdout.write("There are no silences.\n");
    else {
      const rows = sorted.map((silence) => [
        silence.id,
        isActive(silence, nowMs) ? "active" : silence.starts * 1_000 > nowMs ? "pending" : "over",
        formatTime(silence.ends),
        printable(silence.author),
        Object.entries(silence.matchers)
          .map(([field, value]) => printable(`${field}=${value}`))
          .join(" "),
        printable(silence.reason),
      ]);
      stdout.write(formatTable(["ID", "STATE", "ENDS (UTC)", "AUTHOR", "MATCHES", "REASON"], rows));
    }
  });
}

interface AddOptions {
  readonly reason: string;
  readonly for: string;
  readonly author?: string;
}

function add(context: CommandContext): Command {
  const command = new Command("add")
    .description("Hide messages about anomalies that match all of the fields.")
    .argument("<field=value...>", "What to match, like source=10.0.0.5; * stands for any text")
    .requiredOption("--reason <text>", "Why; it is listed with the silence.")
    .requiredOption("--for <duration>", "How long, like 90m, 8h or 2d.")
    .option("--author <name>", "Who wants it (default: the user)");
  const outbox = withOutbox(command, context);
  return command.action(async (fields: readonly string[], options: AddOptions) => {
    const nowMs = systemClock.now();
    const result = readSilence(
      {
        matchers: matchersOf(fields),
        reason: options.reason,
        author: options.author ?? userInfo().username,
        duration: options.for,
      },
      nowMs,
    );
    if ("problem" in result) throw new NamError("USAGE", result.problem);
    const id = randomUUID().slice(0, 8);
    const silence = { ...result.silence, id, created: nowMs / 1_000 };
    await outbox.use((client) => client.set("silence", "", id, silence));
    context.io.stdout.write(`Silence ${id} holds until ${formatTime(silence.ends)} UTC.\n`);
  });
}

function remove(context: CommandContext): Command {
  const command = new Command("remove")
    .description("Remove a silence before its end.")
    .argument("<id>", "The silence, as `nam silences list` shows it");
  const outbox = withOutbox(command, context);
  return command.action(async (id: string) => {
    await outbox.use(async (client) => {
      const known = await client.list("silence");
      if (!known.some((silence) => silence.id === id)) {
        throw new NamError("USAGE", `there is no silence ${id}; nam silences list shows them`);
      }
      await client.delete("silence", "", id);
    });
    context.io.stdout.write(`Silence ${id} is removed.\n`);
  });
}

function matchersOf(fields: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    fields.map((field) => {
      const at = field.indexOf("=");
      if (at < 1) throw new NamError("USAGE", `"${field}" is not like source=10.0.0.5`);
      const name = field.slice(0, at);
      const value = field.slice(at + 1);
      return [name, name === "port" ? Number(value) : value];
    }),
  );
}
