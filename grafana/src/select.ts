// SPDX-License-Identifier: AGPL-3.0-or-later

/** Matchers of the dashboard's `job` and `instance` variables, which every query must have. */
const SELECTION = 'job=~"$job",instance=~"$instance"';

/** The series of one metric that the dashboard's variables select, narrowed by further matchers. */
export function select(metric: string, ...matchers: readonly string[]): string {
  return `${metric}{${[SELECTION, ...matchers].join(",")}}`;
}

/** Increase per second of a counter over Grafana's own rate interval. */
export function rate(metric: string, ...matchers: readonly string[]): string {
  return `rate(${select(metric, ...matchers)}[$__rate_interval])`;
}

/** Increase of a counter over Grafana's own rate interval. */
export function increase(metric: string, ...matchers: readonly string[]): string {
  return `increase(${select(metric, ...matchers)}[$__rate_interval])`;
}
