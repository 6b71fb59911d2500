// SPDX-License-Identifier: AGPL-3.0-or-later
import { Command } from "commander";
import type { OutboxClient } from "../alert/outbox/client.ts";
import type { StoredRequest } from "../alert/outbox/records.ts";
import type { CommandContext } from "./command.ts";
import { formatTime, printable, withOutbox } from "./outbox.ts";
import { formatTable } from "./table.ts";

const EXAMPLES = `
Examples:
  nam alerts list --storage.path /var/lib/network-anomaly-monitor
  nam alerts retry --channel slack
  nam alerts retry 6b1f0c2d9a3e4f57
  nam alerts purge --waiting --channel slack
All of them work while the agent runs and while it does not.
`;

interface Choice {
  readonly channel?: string;
}

/** `nam alerts`: what is still to be told, and what was given up. */
export function alertsSubcommand(context: CommandContext): Command {
  return new Command("alerts")
    .description("List what waits to be told and what was given up; tell it again, or drop it.")
    .addCommand(list(context))
    .addCommand(retry(context))
    .addCommand(purge(context))
    .addHelpText("after", EXAMPLES);
}

function list(context: CommandContext): Command {
  const { stdout } = context.io;
  const command = channelOption(
    new Command("list").description("List what waits for a channel, and its dead letters."),
  ).option("--json", "Print JSON, with the whole events.");
  const outbox = withOutbox(command, context);
  return command.action(async ({ channel, json }: Choice & { readonly json?: true }) => {
    const rows = await outbox.use((client) => listed(client, channel));
    if (json) stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
    else if (rows.length === 0) stdout.write("Nothing waits, and nothing was given up.\n");
    else {
      const cells = rows.map(({ state, channel: name, incident, since, severity, event }) => [
        state,
        name,
        incident,
        formatTime(since),
        severity,
        printable(`${event.detector} ${event.entity.key}`),
      ]);
      const headings = ["STATE", "CHANNEL", "INCIDENT", "SINCE (UTC)", "SEVERITY", "ABOUT"];
      stdout.write(formatTable(headings, cells));
    }
  });
}

async function listed(client: OutboxClient, channel: string | undefined) {
  const waiting = (await client.list("waiting")).map((record) => ({
    state: "waiting",
    since: record.body.acceptedMs / 1_000,
    record,
  }));
  const dead = (await client.list("dead")).map((record) => ({
    state: `dead: ${record.body.reason}`,
    since: record.body.atMs / 1_000,
    record,
  }));
  return [...waiting, ...dead]
    .filter(({ record }) => channel === undefined || record.channel === channel)
    .sort((a, b) => a.since - b.since)
    .map(({ state, since, record: { channel: name, id, body } }) => ({
      state,
      channel: name,
      incident: id,
      since,
      severity: body.severity,
      event: body.anomaly,
    }));
}

function retry(context: CommandContext): Command {
  const command = channelOption(
    new Command("retry")
      .description("Tell dead letters once more: all of them, or those of the incidents named.")
      .argument("[incident...]", "Incidents, as `nam alerts list` shows them"),
  );
  const outbox = withOutbox(command, context);
  return command.action(async (ids: readonly string[], { channel }: Choice) => {
    const request: StoredRequest = { action: "retry", what: "dead", channel: channel ?? null, ids };
    await outbox.use((client) => perform(client, request, "to be told again", context));
  });
}

function purge(context: CommandContext): Command {
  const command = channelOption(
    new Command("purge")
      .description("Drop dead letters, or what waits: all, or that of the incidents named.")
      .argument("[incident...]", "Incidents, as `nam alerts list` shows them")
      .option("--waiting", "Drop what waits to be told, and not the dead letters."),
  );
  const outbox = withOutbox(command, context);
  return command.action(
    async (ids: readonly string[], { channel, waiting }: Choice & { readonly waiting?: true }) => {
      const what = waiting ? "waiting" : "dead";
      const request: StoredRequest = { action: "purge", what, channel: channel ?? null, ids };
      await outbox.use((client) => perform(client, request, "dropped", context));
    },
  );
}

async function perform(
  client: OutboxClient,
  request: StoredRequest,
  done: string,
  { io }: CommandContext,
): Promise<void> {
  const { what, channel, ids } = request;
  const count = (await client.list(what)).filter(
    (record) =>
      (channel === null || record.channel === channel) &&
      (ids.length === 0 || ids.includes(record.id)),
  ).length;
  if (count === 0) {
    io.stdout.write("Nothing of that kind is there.\n");
    return;
  }
  const by = await client.ask(request);
  const who = by === "agent" ? "by the running agent" : "for the next run of the agent";
  io.stdout.write(`${count} ${done}, ${who}.\n`);
}

function channelOption(command: Command): Command {
  return command.option("--channel <name>", "Of this channel only (default: of every channel)");
}
