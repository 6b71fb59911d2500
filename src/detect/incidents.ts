// SPDX-License-Identifier: AGPL-3.0-or-later
import type { CounterInstrument, GaugeInstrument, MetricsRegistry } from "../metrics/registry.ts";
import { aggregate, byImportance, MANY } from "./aggregate.ts";
import { CoolDowns } from "./cool-downs.ts";
import { type Anomaly, type Entity, type Finding, SEVERITIES } from "./detector.ts";
import { incidentFamilies, type SuppressionReason } from "./families.ts";
import type { GuardSettings } from "./guards.ts";
import { Incident, type Moment, severityRank } from "./incident.ts";

/** What one detector found in a tick, and how its incidents are to be kept. */
export interface Report {
  readonly detector: { readonly name: string; readonly class: string };
  readonly findings: readonly Finding[];
  readonly quietMs: number;
}

/**
 * The life of incidents: opened by a finding, updated seldom but at once when they get worse, resolved after quiet,
 * then silent for the cool-down unless it comes back worse. Bounded per detector, whatever the traffic does.
 */
export class Incidents {
  readonly #open = new Map<string, Map<string, Incident>>();
  /** Kept over a restart, unlike what is open, which comes back from who was told. */
  readonly coolDowns = new CoolDowns();
  readonly #events: CounterInstrument;
  readonly #active: GaugeInstrument;
  readonly #suppressed: CounterInstrument;
  #timeMs = 0;

  constructor(detectors: readonly string[], registry: MetricsRegistry) {
    const families = incidentFamilies(detectors);
    this.#events = registry.counter(families.events);
    this.#active = registry.gauge(families.active);
    this.#suppressed = registry.counter(families.suppressed);
    for (const detector of detectors) this.#open.set(detector, new Map());
  }

  /** What the detector's open incidents are about. */
  entities(detector: string): readonly Entity[] {
    return [...(this.#open.get(detector)?.values() ?? [])].map(({ entity }) => entity);
  }

  /** Every open incident as it stands. */
  active(): Anomaly[] {
    return [...this.#open.values()].flatMap((incidents) =>
      [...incidents.values()].map((incident) => incident.anomaly(this.#timeMs)),
    );
  }

  /**
   * Goes on with an incident that an earlier run left open, as if it were last found at `elapsedMs`. False where there
   * is no such detector, so that nobody would ever end it.
   */
  restore(anomaly: Anomaly, elapsedMs: number): boolean {
    const open = this.#open.get(anomaly.detector);
    if (!open) return false;
    this.#timeMs = Math.max(this.#timeMs, anomaly.time * 1000);
    open.set(anomaly.entity.key, Incident.continued(anomaly, elapsedMs));
    this.#count(anomaly.detector);
    return true;
  }

  /** Counts findings that are not told, with the reason. */
  suppress(detector: string, reason: SuppressionReason, findings: number): void {
    if (findings > 0) this.#suppressed.inc({ detector, reason }, findings);
  }

  /** Takes one detector's tick; returns the changes of state. */
  accept(report: Report, moment: Moment, guards: GuardSettings): Anomaly[] {
    this.#timeMs = moment.timeMs;
    const changes: Anomaly[] = [];
    const surplus: Finding[] = [];
    // While a storm lasts, newcomers join it: otherwise each resolve would make room for the next twenty messages.
    const capacity = this.#open.get(report.detector.name)?.has(MANY) ? 0 : guards.max_incidents;
    for (const finding of [...report.findings].sort(byImportance)) {
      const told = this.#take(report, finding, moment, guards, capacity);
      if (told === "full") surplus.push(finding);
      else if (told) changes.push(told);
    }
    if (surplus.length > 0) {
      const { name } = report.detector;
      this.suppress(name, "aggregated", surplus.length);
      const finding = aggregate(name, surplus, guards.max_incidents);
      const told = this.#take(report, finding, moment, guards, Number.POSITIVE_INFINITY);
      if (told && told !== "full") changes.push(told);
    }
    changes.push(...this.#resolve(report, moment, guards));
    if (changes.length > 0) this.#count(report.detector.name);
    return changes;
  }

  #take(
    { detector }: Report,
    finding: Finding,
    moment: Moment,
    guards: GuardSettings,
    capacity: number,
  ): Anomaly | "full" | null {
    const open = this.#of(detector.name);
    const incident = open.get(finding.entity.key);
    if (incident) return this.#update(incident, finding, moment, guards);
    const rank = severityRank(finding.severity);
    if (this.coolDowns.holds(`${detector.name}|${finding.entity.key}`, rank, moment)) {
      this.suppress(detector.name, "cooldown", 1);
      return null;
    }
    if (open.size >= capacity) return "full";
    const opened = Incident.opened(detector, finding, moment);
    open.set(finding.entity.key, opened);
    this.#countEvent(opened);
    return opened.anomaly(moment.timeMs);
  }

  #update(
    incident: Incident,
    finding: Finding,
    moment: Moment,
    guards: GuardSettings,
  ): Anomaly | null {
    const before = incident.severity;
    if (!incident.add(finding, moment, guards.update_seconds * 1000)) return null;
    if (incident.severity !== before) this.#countEvent(incident);
    return incident.anomaly(moment.timeMs);
  }

  #resolve({ detector, quietMs }: Report, moment: Moment, guards: GuardSettings): Anomaly[] {
    const open = this.#of(detector.name);
    const resolved: Anomaly[] = [];
    for (const [key, incident] of open) {
      if (!incident.isQuiet(moment.elapsedMs, quietMs)) continue;
      open.delete(key);
      const coolDownMs = guards.cooldown_seconds * 1000;
      const rank = severityRank(incident.severity);
      this.coolDowns.begin(`${detector.name}|${key}`, rank, moment, coolDownMs);
      resolved.push(incident.resolved(moment.timeMs));
    }
    return resolved;
  }

  #of(detector: string): Map<string, Incident> {
    let open = this.#open.get(detector);
    if (!open) {
      open = new Map();
      this.#open.set(detector, open);
    }
    return open;
  }

  #countEvent({ detector, severity, id }: Incident): void {
    this.#events.inc({ detector, severity }, 1, { event_id: id });
  }

  #count(detector: string): void {
    for (const severity of SEVERITIES) {
      let open = 0;
      for (const incident of this.#of(detector).values())
        if (incident.severity === severity) open++;
      this.#active.set({ detector, severity }, open);
    }
  }
}
