// SPDX-License-Identifier: AGPL-3.0-or-later
import { Command, InvalidArgumentError } from "commander";
import { STANDARD_INPUT } from "../capture/standard-input.ts";
import type { Configured } from "../config/configured.ts";
import { type PacketSections, readPacketSections } from "../packet-sections.ts";
import type { PacketSettings } from "../replay-messages.ts";
import type { CommandContext } from "./command.ts";
import { addConfigFlags, configuredBy, isGiven } from "./config-flags.ts";

const DEFAULT_TOP = 1_000;

const EXAMPLES = `
Examples:
  nam replay capture.pcapng                        a summary of what is in it
  nam replay --report report.json *.pcap.gz        several files as one, and a report for programs
  nam replay --events - capture.pcap               events as they are found, one JSON object a line
  nam replay --tune capture.pcap                   what other thresholds would have raised
  nam replay --speed 1 --web.listen-address 127.0.0.1:9977 capture.pcap
  tcpdump -w - | nam replay -                      from standard input
`;

interface Options {
  readonly speed?: number;
  readonly report?: string;
  readonly "report.top": number;
  readonly metrics?: string;
  readonly events?: string;
  readonly tune?: boolean;
}

/** `nam replay`. */
export function replaySubcommand({ io, finish, replayThread }: CommandContext): Command {
  const command = new Command("replay")
    .description("Run the same pipeline over capture files, on their packets' time.")
    .argument("<files...>", "Captures: pcap or pcapng, also with gzip; - is standard input.")
    .option(
      "--speed <factor>",
      "1 = as fast as it was captured (default: as fast as it goes)",
      factor,
    )
    .option("--report <file>", "Write a report in JSON; - is standard output.")
    .option(
      "--report.top <count>",
      "Entries of each list in the report; 0 = all.",
      count,
      DEFAULT_TOP,
    )
    .option(
      "--metrics <file>",
      "Write the metrics in Prometheus text format; - is standard output.",
    )
    .option("--events <file>", "Write events, one JSON object a line; - is standard output.")
    .option(
      "--tune",
      "Also say what each threshold would have raised at a quarter, half, twice and four times its value.",
    );
  addConfigFlags(command, [
    "--web.listen-address <address>",
    "--web.config.file <file>",
    "--web.telemetry-path <path>",
    "--storage.path <folder>",
    "--log.level <level>",
    "--log.format <format>",
  ]);
  return command
    .addHelpText("after", EXAMPLES)
    .action(async (files: readonly string[], options: Options) => {
      const configured = configuredBy(command, io);
      // Where one of them is wrong, the whole configuration says so.
      const sections = readPacketSections(configured) ?? (await completed(configured));
      const job = { paths: files, settings: packetSettings(sections, options) };
      // Standard input is the main thread's.
      const thread = files.includes(STANDARD_INPUT) ? undefined : replayThread;
      thread?.begin(job);
      // Every detector and channel comes with it, while the first packets are read.
      const { replayCommand } = await import("./replay.ts");
      const exitCode = await replayCommand({
        configured,
        job,
        report: options.report ?? null,
        metrics: options.metrics ?? null,
        events: options.events ?? null,
        tune: options.tune ?? false,
        serve: isGiven(command, "--web.listen-address <address>"),
        thread,
        io,
      });
      finish(exitCode);
    });
}

async function completed(configured: Configured): Promise<PacketSections> {
  const { completeConfig } = await import("../config/load.ts");
  return completeConfig(configured).config;
}

function packetSettings(sections: PacketSections, options: Options): PacketSettings {
  return {
    home: sections.networks.home,
    echPublicNames: sections.tls.ech_public_names,
    flowCapacity: sections.flow.capacity,
    ai: sections.ai,
    top: options["report.top"],
    speed: options.speed ?? null,
  };
}

function factor(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError("It must be a number above 0.");
}

function count(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number, or 0 for all.");
}
