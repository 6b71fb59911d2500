// SPDX-License-Identifier: AGPL-3.0-or-later
import { type Exemplar, type Family, formatBound, type Sample, seriesName } from "./exposition.ts";
import type { LabelSet } from "./metric.ts";

/** What prom-client says of one series when asked. */
export interface StoredValue {
  readonly labels: object;
  readonly value: number;
  readonly metricName?: string;
  readonly exemplar?: {
    readonly labelSet: LabelSet;
    readonly value: number;
    readonly timestamp: number;
  };
}

/** A family from what prom-client stores. */
export function familyOf(
  { name, help, type }: Pick<Family, "name" | "help" | "type">,
  values: readonly StoredValue[],
): Family {
  return { name, help, type, samples: values.map((value) => sampleOf(name, value)) };
}

function sampleOf(family: string, { labels, value, metricName, exemplar }: StoredValue): Sample {
  const { le, ...others } = labels as Record<string, string | number>;
  const bound = le === undefined ? {} : { le: formatBound(Number(le === "+Inf" ? Infinity : le)) };
  const series = seriesName(metricName ?? family, { ...others, ...bound });
  return exemplar ? { series, value, exemplar: exemplarOf(exemplar) } : { series, value };
}

function exemplarOf(stored: NonNullable<StoredValue["exemplar"]>): Exemplar {
  return { labels: stored.labelSet, value: stored.value, timestampSeconds: stored.timestamp };
}
