// SPDX-License-Identifier: AGPL-3.0-or-later
import { appendFileSync, writeFileSync } from "node:fs";
import { completeConfig, type LoadedConfig } from "../config/load.ts";
import { isHomeMatcher } from "../decode/direction.ts";
import { detectors } from "../detect/all.ts";
import type { Anomaly } from "../detect/detector.ts";
import { Tuner } from "../detect/tuner.ts";
import { ProgressBar } from "../progress-bar.ts";
import { Replay } from "../replay.ts";
import { summarise } from "../report-summary.ts";
import type { RunningServer } from "../server/server.ts";
import { tuningText } from "../tuning-report.ts";
import { messageOf, NamError } from "../util/errors.ts";
import type { Log } from "../util/log.ts";
import type { Io, Output, ReplayCommandOptions } from "./command.ts";
import { ExitCode } from "./exit-codes.ts";
import { openLog } from "./open-log.ts";

const STANDARD_OUTPUT = "-";

/**
 * Runs the pipeline over capture files and writes what was asked for. With `serve` the metrics, page and API answer
 * meanwhile and until SIGINT or SIGTERM. Returns 1 where any file was damaged or unreadable. Throws CONFIG_INVALID.
 */
export async function replayCommand(options: ReplayCommandOptions): Promise<number> {
  const { io, job, thread } = options;
  const loaded = completeConfig(options.configured);
  const { config } = loaded;
  const log = openLog(loaded, io);
  const bar = new ProgressBar(io.stderr);
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, stop);
  const writeEvents = eventWriter(options.events, io);
  const tuner = options.tune
    ? new Tuner(detectors, config.detectors, { isHome: isHomeMatcher(config.networks.home) })
    : null;
  const replay = new Replay({
    detect: config.detectors,
    agent: config.agent.name,
    ...job.settings,
    watch: tuner ? (tick, moment) => tuner.accept(tick, moment) : undefined,
    onEvents: writeEvents,
    onProgress: (path, part) => bar.show(path, part),
    signal: abort.signal,
    log,
  });
  const server = options.serve ? await serve(replay, loaded, log) : null;
  try {
    const { report, damaged } = await (thread ? replay.follow(thread) : replay.run(job.paths));
    bar.clear();
    if (options.report !== null) output(options.report, `${JSON.stringify(report, null, 2)}\n`, io);
    if (options.metrics !== null)
      output(options.metrics, (await replay.core.registry.text(false, true)).body, io);
    humanOutput(options, io).write(summarise(report));
    if (tuner) humanOutput(options, io).write(tuningText(tuner.trials()));
    if (server && !abort.signal.aborted) await served(server.addresses, abort.signal, io);
    return damaged ? ExitCode.FAILED : ExitCode.OK;
  } finally {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.off(name, stop);
    await server?.close();
  }
}

/** The server is loaded only where it is wanted: most replays start and end within a second. */
async function serve(replay: Replay, config: LoadedConfig, log: Log): Promise<RunningServer> {
  const { serveReplay } = await import("../replay-server.ts");
  return serveReplay(replay, config, log);
}

/** The summary makes way where standard output is taken by something for programs. */
function humanOutput({ report, metrics, events }: ReplayCommandOptions, io: Io): Output {
  return [report, metrics, events].includes(STANDARD_OUTPUT) ? io.stderr : io.stdout;
}

async function served(addresses: readonly string[], signal: AbortSignal, io: Io): Promise<void> {
  io.stderr.write(
    `The replay is over; ${addresses.join(", ")} still answers until you end it with Ctrl-C.\n`,
  );
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}

function eventWriter(path: string | null, io: Io): (events: readonly Anomaly[]) => void {
  if (path === null) return () => {};
  if (path !== STANDARD_OUTPUT) output(path, "", io);
  return (events) => {
    const text = events.map((event) => `${JSON.stringify(event)}\n`).join("");
    if (path === STANDARD_OUTPUT) io.stdout.write(text);
    else appendFileSync(path, text);
  };
}

function output(path: string, text: string, io: Io): void {
  if (path === STANDARD_OUTPUT) {
    io.stdout.write(text);
    return;
  }
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new NamError("USAGE", `cannot write ${path}: ${messageOf(error)}`, error);
  }
}
