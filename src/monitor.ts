// SPDX-License-Identifier: AGPL-3.0-or-later
import { randomInt } from "node:crypto";
import { EventStore } from "./alert/event-store.ts";
import type { Outbox } from "./alert/outbox/outbox.ts";
import { AlertRouter } from "./alert/router.ts";
import { channelStates, silenceCallbacks } from "./alert-callbacks.ts";
import { BaselineStore } from "./baseline-store.ts";
import { CaptureBook, learningStatus } from "./capture-status.ts";
import type { LoadedConfig } from "./config/load.ts";
import type { Config } from "./config/schema.ts";
import { ConfigMetrics } from "./config-metrics.ts";
import { Core } from "./core.ts";
import type { HostSample } from "./detect/detector.ts";
import type { Window } from "./flow/window.ts";
import { HostSampler, type HostSamplerOptions } from "./host/sampler.ts";
import type { MetricsRegistry } from "./metrics/registry.ts";
import { type Channel, createChannels } from "./notify/all.ts";
import { Sensor } from "./sensors.ts";
import type { AgentStatus, ServerCallbacks } from "./server/contract.ts";
import { type RunningServer, startServer } from "./server/server.ts";
import type { Clock } from "./util/clock.ts";
import { messageOf } from "./util/errors.ts";
import type { Log } from "./util/log.ts";
import { productBuild } from "./util/version.ts";
import { WindowMerger } from "./window-merger.ts";

export interface MonitorOptions {
  readonly loaded: LoadedConfig;
  /** Interfaces to capture on, already resolved. */
  readonly interfaces: readonly string[];
  /** Routers of this machine. */
  readonly gateways: readonly string[];
  /** What an earlier run left to be told. The monitor closes it. */
  readonly outbox: Outbox;
  /** Reads the configuration again; throws NamError when it is not valid. */
  readonly reload: () => LoadedConfig;
  readonly clock: Clock;
  readonly log: Log;
}

/** Time that channels get to tell what they still hold when the monitor stops. */
const STOP_TIMEOUT_MS = 5_000;

/** The monitor process: builds the stages, connects them, and answers for them. */
export class Monitor {
  readonly #options: MonitorOptions;
  readonly #core: Core;
  readonly #configMetrics: ConfigMetrics;
  readonly #events: EventStore;
  readonly #baselines: BaselineStore;
  readonly #router: AlertRouter;
  readonly #host: HostSampler | null;
  readonly #sensors: readonly Sensor[];
  readonly #merger: WindowMerger;
  readonly #captures = new CaptureBook();
  readonly #startedSeconds: number;
  readonly #hashSeed = randomInt(0x7fffffff);
  #loaded: LoadedConfig;
  #hostSample: HostSample | null = null;
  #server: RunningServer | null = null;

  constructor(options: MonitorOptions) {
    const { loaded, clock, log } = options;
    const { config } = loaded;
    this.#options = options;
    this.#loaded = loaded;
    this.#startedSeconds = clock.now() / 1000;
    this.#core = new Core({
      detect: config.detectors,
      home: config.networks.home,
      agent: config.agent.name,
      gateways: options.gateways,
      log,
    });
    const { registry } = this.#core;
    registry.processMetrics();
    registry.buildMetrics(productBuild(), this.#startedSeconds);
    this.#configMetrics = new ConfigMetrics(registry);
    this.#configMetrics.loaded(loaded.hash, clock.now());
    this.#events = new EventStore(config.storage.path, log.child({ stage: "events" }));
    this.#baselines = new BaselineStore({
      directory: config.storage.path,
      engine: this.#core.engine,
      registry,
      clock,
      log: log.child({ stage: "baselines" }),
    });
    this.#router = new AlertRouter({
      channels: this.#channels(config),
      settings: config.alerts,
      registry,
      clock,
      agent: config.agent.name,
      outbox: options.outbox,
      log: log.child({ stage: "alert" }),
    });
    this.#continue();
    this.#host = config.host.enabled ? new HostSampler(hostOptions(config, registry)) : null;
    if (this.#host) this.#core.collectors.init("host");
    this.#merger = new WindowMerger(options.interfaces.length, clock, (window) =>
      this.#accept(window),
    );
    this.#sensors = options.interfaces.map((name, sensor) => this.#sensor(name, sensor));
  }

  /** Starts capturing, then serving. Rejects with the first sensor's or the server's own error. */
  async start(): Promise<void> {
    await Promise.all(this.#sensors.map((sensor) => sensor.start()));
    const { web } = this.#loaded.config;
    this.#server = await startServer({
      listen: web.listen_address,
      telemetryPath: web.telemetry_path,
      webConfigFile: web.config_file,
      allowRemoteApi: web.allow_remote_api,
      sourceUrl: productBuild().sourceUrl,
      registry: this.#core.registry,
      callbacks: this.#callbacks(),
      log: this.#options.log.child({ stage: "server" }),
    });
    this.#options.log.info({ addresses: this.#server.addresses }, "serving metrics, page and API");
  }

  /** Takes the configuration as it is now; on any error the old one goes on and the error is thrown. */
  reload(): void {
    const { log, clock } = this.#options;
    try {
      const loaded = this.#options.reload();
      this.#core.engine.reconfigure(loaded.config.detectors);
      this.#router.reconfigure(this.#channels(loaded.config), loaded.config.alerts);
      this.#loaded = loaded;
      this.#configMetrics.loaded(loaded.hash, clock.now());
      log.info({ hash: loaded.hash }, "configuration loaded again");
    } catch (error) {
      this.#configMetrics.failed();
      log.error({ error: messageOf(error) }, "configuration not loaded; the old one goes on");
      throw error;
    }
  }

  /** Ends everything in the order of the data: sensors, channels, server. */
  async stop(): Promise<void> {
    await Promise.all(this.#sensors.map((sensor) => sensor.stop()));
    this.#merger.flush();
    await this.#baselines.save();
    await this.#router.stop(STOP_TIMEOUT_MS);
    await this.#server?.close();
  }

  #sensor(name: string, sensor: number): Sensor {
    const { clock, log } = this.#options;
    const { capture, networks, tls, flow, ai, stealth } = this.#loaded.config;
    return new Sensor(
      {
        sensor,
        source: {
          source: capture.source,
          interfaceName: name,
          filter: capture.filter,
          stealth,
          snaplen: capture.snaplen,
          promiscuous: capture.promiscuous && !stealth,
          ringMib: capture.ring_mib,
          fanoutGroup: null,
        },
        home: networks.home,
        echPublicNames: tls.ech_public_names,
        flowCapacity: flow.capacity,
        ai,
        hashSeed: this.#hashSeed,
        user: capture.user,
      },
      {
        window: (window) => this.#merger.offer(window),
        state: (state) => this.#core.capture.setUp(state.interface, state.source, state.capturing),
        restarted: () => this.#core.capture.restarted(),
      },
      clock,
      log.child({ stage: "sensor", sensor }),
    );
  }

  #channels({ channels, stealth }: Config): Channel[] {
    return createChannels(channels, { log: this.#options.log, stealth });
  }

  #accept(window: Window): void {
    this.#captures.window(window);
    void this.#sampleHost();
    const events = this.#core.accept(window, this.#hostSample);
    this.#baselines.tick();
    this.#events.add(events);
    this.#router.accept(events);
  }

  /** Goes on with the incidents that an earlier run left open; those that nothing can find any more are over. */
  #continue(): void {
    const time = this.#options.clock.now() / 1000;
    const orphans = this.#core.engine.restore(this.#router.openIncidents);
    const over = orphans.map((anomaly) => ({ ...anomaly, state: "resolved" as const, time }));
    this.#events.add(over);
    this.#router.accept(over);
  }

  async #sampleHost(): Promise<void> {
    const host = this.#host;
    if (!host) return;
    this.#hostSample = await this.#core.collectors.runAsync("host", () => host.sample());
  }

  #callbacks(): ServerCallbacks {
    return {
      ready: () => this.#ready(),
      reload: async () => this.reload(),
      status: () => this.#status(),
      events: (query) => this.#events.query(query),
      alerts: () => ({
        active: this.#core.engine.active(),
        channels: channelStates(this.#router),
      }),
      silences: silenceCallbacks(this.#router, this.#options.clock),
      config: () => this.#loaded.config,
    };
  }

  #ready(): { ready: boolean; reason: string } {
    const { state } = this.#sensors.find((sensor) => sensor.state.capturing) ?? {};
    if (state) return { ready: true, reason: `capturing on ${state.interface}` };
    return { ready: false, reason: this.#sensors[0]?.state.reason ?? "no sensor" };
  }

  #status(): AgentStatus {
    const { config } = this.#loaded;
    const { version, revision } = productBuild();
    return {
      agent: config.agent.name,
      version,
      revision,
      started: this.#startedSeconds,
      ...this.#ready(),
      stealth: config.stealth,
      learning: learningStatus(this.#core.engine),
      captures: this.#captures.status(this.#sensors.map(({ state }) => state)),
      active: this.#core.engine.active(),
    };
  }
}

function hostOptions({ host }: Config, registry: MetricsRegistry): HostSamplerOptions {
  return {
    registry,
    topGroups: host.process_groups ? host.top_groups : 0,
    groupIntervalMs: host.group_interval_seconds * 1000,
  };
}
