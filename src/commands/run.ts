// SPDX-License-Identifier: AGPL-3.0-or-later
import { Outbox } from "../alert/outbox/outbox.ts";
import { defaultInterface } from "../capture/interfaces.ts";
import type { LoadedConfig } from "../config/load.ts";
import { findGateways } from "../host/gateways.ts";
import { Monitor } from "../monitor.ts";
import { systemClock } from "../util/clock.ts";
import type { Log } from "../util/log.ts";
import type { Io } from "./command.ts";
import { ExitCode } from "./exit-codes.ts";
import { openLog } from "./open-log.ts";

/** What `nam run` starts with. */
export interface RunOptions {
  readonly config: LoadedConfig;
  /** Reads the same configuration again, flags and variables included. Throws as `loadConfig` does. */
  readonly reload: () => LoadedConfig;
  readonly io: Io;
}

/**
 * Captures, judges, alerts and serves until SIGINT or SIGTERM; SIGHUP reads the configuration again. Returns the
 * exit code; rejects with the NamError that kept it from starting.
 */
export async function runCommand({ config: loaded, reload, io }: RunOptions): Promise<number> {
  const { config, warnings } = loaded;
  const { interfaces } = config.capture;
  const log = openLog(loaded, io);
  for (const warning of warnings) log.warn({ warning }, "configuration");
  const monitor = new Monitor({
    loaded,
    interfaces: interfaces.length > 0 ? [...new Set(interfaces)] : [defaultInterface()],
    gateways: await findGateways(),
    outbox: await Outbox.open({
      directory: config.storage.path,
      limitBytes: config.alerts.outbox_max_mib * 2 ** 20,
      clock: systemClock,
      log: log.child({ stage: "outbox" }),
    }),
    reload,
    clock: systemClock,
    log,
  });
  const stopped = stopSignal(log);
  const onHangup = (): void => reloadQuietly(monitor);
  process.on("SIGHUP", onHangup);
  try {
    await monitor.start();
    await stopped;
    return ExitCode.OK;
  } finally {
    process.off("SIGHUP", onHangup);
    await monitor.stop();
  }
}

function reloadQuietly(monitor: Monitor): void {
  try {
    monitor.reload();
  } catch {
    // The monitor has said why and goes on with the old configuration.
  }
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
function stopSignal(log: Log): Promise<void> {
  return new Promise((resolve) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) {
      process.once(name, () => {
        log.info({ signal: name }, "stopping; a second signal ends at once");
        resolve();
      });
    }
  });
}
