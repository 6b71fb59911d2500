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

/** Of a metric that every target has, the series of agents: with all jobs chosen, others match as well. */
export function ofAgents(expression: string): string {
  return `(${expression} and on (job, instance) ${select("nam_build_info")})`;
}

/** The same for `up`, which an agent that is down has while everything else of it is gone. */
export function ofAgentJobs(expression: string): string {
  return `(${expression} and on (job) last_over_time(${select("nam_build_info")}[$__range]))`;
}
