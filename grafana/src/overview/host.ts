// SPDX-License-Identifier: AGPL-3.0-or-later
import type { PanelBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import * as units from "@grafana/grafana-foundation-sdk/units";
import { line, stacked, timeseries } from "../panels.ts";
import { select } from "../select.ts";

/** The machine that an agent runs on: its own load explains many a strange curve of the traffic. */
export function hostPanels(): PanelBuilder[] {
  return [use(), groupCpu(), groupMemory()];
}

function use(): PanelBuilder {
  return timeseries(
    {
      title: "CPU, memory and load",
      description:
        "Share of all processors that is busy, share of memory that programs hold, and tasks that run or wait (right).",
      unit: units.PercentUnit,
    },
    8,
  )
    .min(0)
    .withTarget(line(select("nam_host_cpu_ratio"), "{{instance}} CPU"))
    .withTarget(
      line(
        `${select("nam_host_memory_used_bytes")} / (${select("nam_host_memory_total_bytes")} > 0)`,
        "{{instance}} memory",
      ),
    )
    .withTarget(line(select("nam_host_load1"), "{{instance}} load"))
    .overrideByRegexp("/ load$/", [
      { id: "unit", value: units.Short },
      { id: "custom.axisPlacement", value: "right" },
    ]);
}

function groupCpu(): PanelBuilder {
  return stacked(
    {
      title: "CPU by process group",
      description:
        "Share of all processors used by the processes of one name; what is not among the largest is other.",
      unit: units.PercentUnit,
    },
    8,
  ).withTarget(
    line(
      `max by (instance, group) (${select("nam_process_group_cpu_ratio")})`,
      "{{instance}} {{group}}",
    ),
  );
}

function groupMemory(): PanelBuilder {
  return stacked(
    {
      title: "Memory by process group",
      description:
        "Resident memory of the processes of one name. Pages that several processes share count for each of them.",
      unit: units.BytesIEC,
    },
    8,
  ).withTarget(
    line(
      `max by (instance, group) (${select("nam_process_group_memory_bytes")})`,
      "{{instance}} {{group}}",
    ),
  );
}
