// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition } from "../metrics/metric.ts";

export const cpuRatio = gauge(
  "nam_host_cpu_ratio",
  "Share of all processors that was busy, 0 to 1.",
);
export const memoryUsed = gauge(
  "nam_host_memory_used_bytes",
  "Memory that programs could not get back: total minus available.",
);
export const memoryTotal = gauge("nam_host_memory_total_bytes", "Memory of the machine.");
export const load1 = gauge(
  "nam_host_load1",
  "Tasks that ran or waited, averaged over one minute; 0 where the system does not say.",
);

/** Names are bounded: the largest groups, `other`, and no more than 100 an hour. */
const GROUP = { group: null };

export const groupCpu = gauge(
  "nam_process_group_cpu_ratio",
  "Share of all processors used by the processes of one name, 0 to 1.",
  GROUP,
);
export const groupMemory = gauge(
  "nam_process_group_memory_bytes",
  "Resident memory of the processes of one name; shared pages count for each of them.",
  GROUP,
);
export const groupProcesses = gauge("nam_process_group_processes", "Processes of one name.", GROUP);

/** What the host sampler exposes. */
export const hostMetrics: readonly MetricDefinition[] = [
  cpuRatio,
  memoryUsed,
  memoryTotal,
  load1,
  groupCpu,
  groupMemory,
  groupProcesses,
];

function gauge(
  name: MetricDefinition["name"],
  help: string,
  labels?: NonNullable<MetricDefinition["labels"]>,
): MetricDefinition {
  return labels ? { name, help, type: "gauge", labels } : { name, help, type: "gauge" };
}
