// SPDX-License-Identifier: AGPL-3.0-or-later
import type { LabelSet } from "./metric.ts";

/** What an OpenMetrics exemplar names: one thing that was counted, at its time in UTC seconds. */
export interface Exemplar {
  readonly labels: LabelSet;
  readonly value: number;
  readonly timestampSeconds: number;
}

/** One line of an exposition; both formats write it alike, exemplar apart. */
export interface Sample {
  /** Sample name with its labels, as `seriesName` writes it. */
  readonly series: string;
  readonly value: number;
  readonly exemplar?: Exemplar;
}

/** A metric family at one moment. A counter's name carries `_total`. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly samples: readonly Sample[];
}

export const TEXT_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";
export const OPENMETRICS_CONTENT_TYPE =
  "application/openmetrics-text; version=1.0.0; charset=utf-8";

/** Characters that the labels of one exemplar may hold together (OpenMetrics 1.0, Exemplars). */
export const EXEMPLAR_LIMIT = 128;

/** Prometheus text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/). */
export function renderText(families: readonly Family[]): string {
  let text = "";
  for (const { name, help, type, samples } of families) {
    text += `# HELP ${name} ${escapeLine(help)}\n# TYPE ${name} ${type}\n`;
    for (const { series, value } of samples) text += `${series} ${formatValue(value)}\n`;
  }
  return text;
}

/**
 * OpenMetrics text format 1.0: a counter's family goes without `_total`, its samples with it, and exemplars follow
 * their sample (https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md).
 */
export function renderOpenMetrics(families: readonly Family[]): string {
  let text = "";
  for (const { name, help, type, samples } of families) {
    const family = openMetricsName(name, type);
    text += `# TYPE ${family} ${type}\n# HELP ${family} ${escapeQuoted(help)}\n`;
    for (const { series, value, exemplar } of samples) {
      text += `${series} ${formatValue(value)}${exemplar ? formatExemplar(exemplar) : ""}\n`;
    }
  }
  return `${text}# EOF\n`;
}

/** Family name as OpenMetrics spells it. */
export function openMetricsName(name: string, type: Family["type"]): string {
  return type === "counter" ? name.replace(/_total$/, "") : name;
}

/** `name{a="1",b="2"}`, in the order of the labels given. */
export function seriesName(
  name: string,
  labels: Readonly<Record<string, string | number>>,
): string {
  const pairs = formatLabels(labels);
  return pairs === "" ? name : `${name}{${pairs}}`;
}

/**
 * Bucket bound as an `le` value. Whole numbers keep a decimal in both formats, as OpenMetrics asks, so that a
 * histogram is the same series whichever format a scrape asked for.
 */
export function formatBound(bound: number): string {
  if (bound === Number.POSITIVE_INFINITY) return "+Inf";
  const text = String(bound);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

export function formatValue(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "+Inf" : "-Inf";
}

function formatLabels(labels: Readonly<Record<string, string | number>>): string {
  let text = "";
  for (const name in labels) {
    text += `${text === "" ? "" : ","}${name}="${escapeQuoted(String(labels[name]))}"`;
  }
  return text;
}

function formatExemplar({ labels, value, timestampSeconds }: Exemplar): string {
  return ` # {${formatLabels(labels)}} ${formatValue(value)} ${timestampSeconds}`;
}

function escapeLine(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeQuoted(text: string): string {
  return escapeLine(text).replaceAll('"', '\\"');
}
