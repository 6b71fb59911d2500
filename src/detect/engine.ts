// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Window } from "../flow/window.ts";
import type { CellLayout } from "../metrics/cells.ts";
import { Collectors } from "../metrics/collectors.ts";
import type { SignalDefinition } from "../metrics/metric.ts";
import type { GaugeInstrument, MetricsRegistry } from "../metrics/registry.ts";
import { AlarmBudget } from "./alarm-budget.ts";
import { AllowList } from "./allow.ts";
import type { EwmaLimits } from "./baseline/guarded-ewma.ts";
import type {
  Anomaly,
  Detector,
  DetectorContext,
  DetectorDefinition,
  Finding,
  Found,
  HostSample,
  SignalState,
  Tick,
} from "./detector.ts";
import { learning } from "./families.ts";
import { environmentOf, type GuardSettings } from "./guards.ts";
import type { Moment } from "./incident.ts";
import { Incidents, type Report } from "./incidents.ts";
import { type LearningState, learningOf } from "./learning.ts";
import type { EngineMemory, MemoryParts } from "./memory.ts";
import {
  type DetectSettings,
  type ParsedSettings,
  parseAllow,
  parseGuards,
  parseSettings,
} from "./settings.ts";
import { SignalBank } from "./signals.ts";
import { notSuperseded } from "./superseding.ts";
import { TickClock } from "./tick-clock.ts";

export interface EngineOptions {
  /** Layout of `Window.counters`. */
  readonly layout: CellLayout;
  readonly signals: readonly SignalDefinition[];
  readonly detectors: readonly DetectorDefinition<unknown>[];
  readonly settings: DetectSettings;
  readonly registry: MetricsRegistry;
  readonly context: DetectorContext;
  /** Name of this agent; part of what identifies an incident. */
  readonly agent: string;
  /** Sees every tick after the detectors; it must not keep the tick. */
  readonly watch?: ((tick: Tick, moment: Moment) => void) | undefined;
  /** Shared with other parts that are measured; its own where none is given. */
  readonly collectors?: Collectors;
}

interface Running {
  readonly definition: DetectorDefinition<unknown>;
  readonly settings: ParsedSettings;
  readonly detector: Detector;
}

/**
 * Windows in, changes of incidents out. Everything depends on packet time and the windows alone: the same windows
 * give the same anomalies, identifiers included. A detector that throws is reported and skipped, never fatal.
 */
export class DetectionEngine {
  readonly #options: EngineOptions;
  readonly #collectors: Collectors;
  readonly #bank: SignalBank;
  readonly #incidents: Incidents;
  readonly #budget: AlarmBudget;
  readonly #limits: EwmaLimits;
  readonly #clock = new TickClock();
  readonly #learning: GaugeInstrument;
  #guards: GuardSettings;
  #allowed: AllowList;
  #running: readonly Running[] = [];

  /** Throws CONFIG_INVALID where settings are not what the detectors' schemas say. */
  constructor(options: EngineOptions) {
    this.#options = options;
    this.#guards = parseGuards(options.settings);
    this.#allowed = new AllowList(parseAllow(options.settings));
    this.#learning = options.registry.gauge(learning);
    this.#limits = limitsOf(this.#guards);
    this.#collectors = options.collectors ?? new Collectors(options.registry);
    this.#bank = new SignalBank(options.layout, options.signals, this.#limits, options.registry);
    const names = options.detectors.map(({ name }) => name);
    this.#incidents = new Incidents(names, options.registry);
    this.#budget = new AlarmBudget(options.detectors, options.registry);
    for (const name of names) this.#collectors.init(collectorName(name));
    this.#running = this.#start(options.settings);
  }

  /** Judges one window; returns the incidents that opened, got worse or newer numbers, or ended. */
  tick(window: Window, host: HostSample | null): Anomaly[] {
    const told: Found[] = [];
    const tick: Tick = { ...this.#judge(window, host), found: told };
    const moment = this.#clock.moment(tick.timeMs, this.#options.agent);
    this.#incidents.coolDowns.settle(moment, this.#guards.cooldown_seconds * 1000);
    const found = new Map<string, readonly Finding[]>();
    for (const { definition, settings, detector } of this.#running) {
      if (!settings.enabled) continue;
      const { name, class: kind } = definition;
      const evaluate = (): readonly Finding[] => detector.evaluate(tick);
      const findings = this.#notAllowed(
        name,
        this.#collectors.run(collectorName(name), evaluate) ?? [],
      );
      found.set(name, findings);
      const kept = notSuperseded(definition, findings, found, this.#incidents);
      told.push({ detector: name, kind, findings: kept });
    }
    this.#options.watch?.(tick, moment);
    const changes = this.#running.flatMap(({ definition, settings }) => {
      const findings = this.#asLearned(this.#worthTelling(definition, found, tick));
      const report: Report = { detector: definition, findings, quietMs: settings.quietMs };
      return this.#incidents.accept(report, moment, this.#guards);
    });
    this.#budget.count(changes, moment.elapsedMs);
    return changes;
  }

  /** Every signal under every baseline, as of the last tick. */
  signals(): readonly SignalState[] {
    return this.#bank.states.map((state) => ({ ...state }));
  }

  /** How much of what is normal is known. */
  learning(): LearningState {
    return learningOf(this.#bank.states, this.#clock.elapsedMs, this.#guards.learn_seconds);
  }

  /** What the baselines and detectors know, and what was told and is over, as plain data. */
  remember(): EngineMemory {
    return {
      signals: this.#bank.remember(),
      detectors: Object.fromEntries(this.#memories()),
      coolDowns: this.#incidents.coolDowns.remember(),
    };
  }

  /** The same in parts. */
  memories(): MemoryParts {
    const coolDowns = (): EngineMemory["coolDowns"] => this.#incidents.coolDowns.remember();
    return { signals: this.#bank.memories(), detectors: this.#memories(), coolDowns };
  }

  *#memories(): Generator<[detector: string, memory: unknown]> {
    for (const { definition, detector } of this.#running) {
      const memory = detector.remember?.();
      if (memory !== undefined) yield [definition.name, memory];
    }
  }

  /** Goes on from there; of an old memory only the seasons are taken. A detector that cannot read its own begins anew. */
  recall(memory: EngineMemory, isOld: boolean): void {
    this.#bank.recall(memory.signals, isOld);
    if (isOld) return;
    this.#incidents.coolDowns.recall(memory.coolDowns);
    for (const { definition, detector } of this.#running) {
      this.#recall(definition, detector, memory.detectors[definition.name]);
    }
  }

  /** Every open incident as it stands. */
  active(): readonly Anomaly[] {
    return this.#incidents.active();
  }

  /**
   * Goes on with incidents that an earlier run left open: found again, they are the same ones; not found again, they are
   * over. What needs a baseline to be found gets the time to learn one. Gives back those that no detector would ever end.
   */
  restore(open: readonly Anomaly[]): Anomaly[] {
    return open.filter((anomaly) => {
      const definition = this.#options.detectors.find(({ name }) => name === anomaly.detector);
      const learningMs = definition?.statistical ? this.#guards.warmup_seconds * 1000 : 0;
      return !this.#incidents.restore(anomaly, this.#clock.elapsedMs + learningMs);
    });
  }

  /**
   * Takes new settings from the next tick on. Baselines and open incidents stay; a detector whose own settings
   * changed goes on with what it would keep over a restart, and counts the rest anew. Throws CONFIG_INVALID, and keeps
   * the old settings, where the new ones are not valid.
   */
  reconfigure(settings: DetectSettings): void {
    const guards = parseGuards(settings);
    const allowed = new AllowList(parseAllow(settings));
    this.#running = this.#start(settings);
    this.#allowed = allowed;
    this.#guards = guards;
    Object.assign(this.#limits, limitsOf(guards));
  }

  #start(settings: DetectSettings): Running[] {
    return this.#options.detectors.map((definition) => {
      const parsed = parseSettings(definition, settings);
      const before = this.#running.find((running) => running.definition === definition);
      if (before && JSON.stringify(before.settings.own) === JSON.stringify(parsed.own)) {
        return { definition, settings: parsed, detector: before.detector };
      }
      const detector = definition.create(parsed.own, this.#options.context);
      this.#recall(definition, detector, before?.detector.remember?.());
      return { definition, settings: parsed, detector };
    });
  }

  #recall(definition: DetectorDefinition<unknown>, detector: Detector, memory: unknown): void {
    if (memory === undefined) return;
    const { elapsedMs } = this.#clock;
    const collector = collectorName(definition.name);
    this.#collectors.run(collector, () => detector.recall?.(memory, elapsedMs));
  }

  /** True for as long as nothing is told above info. */
  get #isLearning(): boolean {
    return this.#clock.elapsedMs <= this.#guards.learn_seconds * 1000;
  }

  #notAllowed(detector: string, findings: readonly Finding[]): readonly Finding[] {
    const kept = findings.filter((finding) => !this.#allowed.allows(finding));
    this.#incidents.suppress(detector, "allowed", findings.length - kept.length);
    return kept;
  }

  #asLearned(findings: readonly Finding[]): readonly Finding[] {
    if (!this.#isLearning) return findings;
    return findings.map((finding) => ({ ...finding, severity: "info" }));
  }

  #judge(window: Window, host: HostSample | null): Omit<Tick, "found"> {
    const timed = this.#clock.advance(window, host);
    const { seconds, tainted } = timed;
    this.#learning.set({}, this.#isLearning ? 1 : 0);
    const learn = !tainted;
    this.#bank.update(window.counters, { seconds, timeMs: window.endMs, learn }, timed.host);
    const signals = this.#bank.states;
    const environment = environmentOf(signals, this.#guards.environment_ratio);
    this.#budget.advance(timed.elapsedMs);
    const budgets = this.#budget.states;
    return { ...timed, timeMs: window.endMs, window, signals, environment, budgets };
  }

  /** What is left of a detector's findings when the environment and better detectors had their say. */
  #worthTelling(
    definition: DetectorDefinition<unknown>,
    found: ReadonlyMap<string, readonly Finding[]>,
    tick: Tick,
  ): readonly Finding[] {
    const { name, statistical } = definition;
    const findings = found.get(name) ?? [];
    if (statistical && tick.environment.changed) {
      this.#incidents.suppress(name, "environment_change", findings.length);
      return [];
    }
    const kept = notSuperseded(definition, findings, found, this.#incidents);
    this.#incidents.suppress(name, "superseded", findings.length - kept.length);
    return kept;
  }
}

function collectorName(detector: string): string {
  return `detector:${detector}`;
}

function limitsOf(guards: GuardSettings): EwmaLimits {
  return { warmupSamples: guards.warmup_seconds, freezeSamples: guards.freeze_seconds };
}
