// SPDX-License-Identifier: AGPL-3.0-or-later

import { MetricsRegistry } from "../metrics/registry.ts";
import { z } from "../util/zod.ts";
import { AllowList } from "./allow.ts";
import {
  type Detector,
  type DetectorContext,
  type DetectorDefinition,
  SEVERITIES,
  type Severity,
  type Tick,
} from "./detector.ts";
import type { GuardSettings } from "./guards.ts";
import type { Moment } from "./incident.ts";
import { Incidents } from "./incidents.ts";
import {
  type DetectSettings,
  detectorSettings,
  type ParsedSettings,
  parseAllow,
  parseGuards,
  parseSettings,
} from "./settings.ts";

/** Values tried, as multiples of the configured one. */
const FACTORS = [0.25, 0.5, 1, 2, 4] as const;

/** How many anomalies one value of one setting would have raised, by their highest severity. */
export interface Trial {
  /** Configuration path, e.g. `detectors.port_scan.alpha`. */
  readonly setting: string;
  readonly value: number;
  /** True for the value that is configured. */
  readonly isCurrent: boolean;
  readonly raised: Readonly<Record<Severity, number>>;
}

interface Variant {
  readonly definition: DetectorDefinition<unknown>;
  readonly setting: string;
  readonly value: number;
  readonly isCurrent: boolean;
  readonly parsed: ParsedSettings;
  readonly detector: Detector;
  readonly incidents: Incidents;
  /** Highest severity of each anomaly so far, by its identifier. */
  readonly raised: Map<string, Severity>;
}

/**
 * Runs every detector again for other values of each of its thresholds, one changed at a time, on the same ticks. The
 * guards and what is allowed are those of the configuration; what one detector says of another's findings is left out.
 */
export class Tuner {
  readonly #guards: GuardSettings;
  readonly #allowed: AllowList;
  readonly #variants: readonly Variant[];

  constructor(
    detectors: readonly DetectorDefinition<unknown>[],
    settings: DetectSettings,
    context: DetectorContext,
  ) {
    this.#guards = parseGuards(settings);
    this.#allowed = new AllowList(parseAllow(settings));
    this.#variants = detectors.flatMap((definition) =>
      parseSettings(definition, settings).enabled ? variantsOf(definition, settings, context) : [],
    );
  }

  /** Takes a tick as the configured detectors got it. */
  accept(tick: Tick, moment: Moment): void {
    for (const { definition, parsed, detector, incidents, raised } of this.#variants) {
      const found = detector.evaluate(tick).filter((finding) => !this.#allowed.allows(finding));
      const findings = definition.statistical && tick.environment.changed ? [] : found;
      const report = { detector: definition, findings, quietMs: parsed.quietMs };
      for (const { id, severity } of incidents.accept(report, moment, this.#guards)) {
        raised.set(id, severity);
      }
    }
  }

  /** What every value would have raised, in the order of detectors, settings and values. */
  trials(): Trial[] {
    return this.#variants.map(({ setting, value, isCurrent, raised }) => {
      const counts = Object.fromEntries(SEVERITIES.map((severity) => [severity, 0]));
      for (const severity of raised.values()) counts[severity] = (counts[severity] ?? 0) + 1;
      // Every severity has been given its 0 above.
      return { setting, value, isCurrent, raised: counts as Record<Severity, number> };
    });
  }
}

function variantsOf(
  definition: DetectorDefinition<unknown>,
  settings: DetectSettings,
  context: DetectorContext,
): Variant[] {
  const schema = detectorSettings(definition);
  const current = z
    .record(z.string(), z.unknown())
    .parse(schema.parse(settings[definition.name] ?? {}));
  const variants: Variant[] = [];
  for (const [name, value] of Object.entries(current)) {
    if (typeof value !== "number" || name === "quiet_seconds") continue;
    for (const factor of FACTORS) {
      const changed = { ...current, [name]: rounded(value * factor, Number.isInteger(value)) };
      if (!schema.safeParse(changed).success) continue;
      const parsed = parseSettings(definition, { [definition.name]: changed });
      variants.push({
        definition,
        setting: `detectors.${definition.name}.${name}`,
        value: changed[name] as number,
        isCurrent: factor === 1,
        parsed,
        detector: definition.create(parsed.own, context),
        incidents: new Incidents([definition.name], new MetricsRegistry({ seriesBudget: 0 })),
        raised: new Map(),
      });
    }
  }
  return variants;
}

/** Whole settings stay whole, and at least 1; others keep three digits. */
function rounded(value: number, isWhole: boolean): number {
  return isWhole ? Math.max(1, Math.round(value)) : Number(value.toPrecision(3));
}
