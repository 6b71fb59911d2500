// SPDX-License-Identifier: AGPL-3.0-or-later
import { noSilences } from "./alert-callbacks.ts";
import { learningStatus } from "./capture-status.ts";
import type { LoadedConfig } from "./config/load.ts";
import type { Replay } from "./replay.ts";
import { type RunningServer, startServer } from "./server/server.ts";
import { systemClock } from "./util/clock.ts";
import { NamError } from "./util/errors.ts";
import type { Log } from "./util/log.ts";
import { productBuild } from "./util/version.ts";

/** Serves a replay as `nam run` serves a live capture: the same metrics, page and API. */
export function serveReplay(
  replay: Replay,
  { config }: LoadedConfig,
  log: Log,
): Promise<RunningServer> {
  const { registry, engine } = replay.core;
  const { version, revision, sourceUrl } = productBuild();
  const started = systemClock.now() / 1000;
  registry.processMetrics();
  registry.buildMetrics({ version, revision }, started);
  const readiness = { ready: true, reason: "replaying" };
  return startServer({
    listen: config.web.listen_address,
    telemetryPath: config.web.telemetry_path,
    webConfigFile: config.web.config_file,
    allowRemoteApi: config.web.allow_remote_api,
    sourceUrl,
    registry,
    callbacks: {
      ready: () => readiness,
      reload: async () => {
        throw new NamError("USAGE", "a replay keeps the configuration it was started with");
      },
      status: () => ({
        agent: config.agent.name,
        version,
        revision,
        started,
        ...readiness,
        stealth: config.stealth,
        learning: learningStatus(engine),
        captures: replay.captures(),
        active: engine.active(),
      }),
      events: (query) => replay.events.query(query),
      alerts: () => ({ active: engine.active(), channels: [] }),
      silences: noSilences,
      config: () => config,
    },
    log,
  });
}
