// SPDX-License-Identifier: AGPL-3.0-or-later
import type { DataSourceRef } from "@grafana/grafana-foundation-sdk/common";
import {
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { select } from "./select.ts";

/** The data source that the reader of the dashboard chose. */
export const datasource: DataSourceRef = { type: "prometheus", uid: "$datasource" };

const ALL = { selected: true, text: ["All"], value: ["$__all"] };

/** Which Prometheus. */
export function datasourceVariable(): DatasourceVariableBuilder {
  return new DatasourceVariableBuilder("datasource").label("Data Source").type("prometheus");
}

/** Scrape jobs that have an agent in them. */
export function jobVariable(): QueryVariableBuilder {
  return many("job", "label_values(nam_build_info, job)");
}

/** Agents of the chosen jobs. */
export function instanceVariable(): QueryVariableBuilder {
  return many("instance", 'label_values(nam_build_info{job=~"$job"}, instance)');
}

/** The signal whose baseline is drawn. */
export function signalVariable(): QueryVariableBuilder {
  return query("signal", `label_values(${select("nam_signal_value")}, signal)`).description(
    "Signal that is drawn with its baseline",
  );
}

/** The baseline that scores and bands are taken from. */
export function baselineVariable(): QueryVariableBuilder {
  return query("baseline", `label_values(${select("nam_baseline_mean")}, baseline)`)
    .description("rolling: the last five minutes; ewma: a slower one that bursts hardly move")
    .current({ selected: true, text: "rolling", value: "rolling" });
}

function many(name: string, expression: string): QueryVariableBuilder {
  return query(name, expression).multi(true).includeAll(true).allValue(".+").current(ALL);
}

function query(name: string, expression: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(name)
    .datasource(datasource)
    .query({ query: expression, refId: `variable-${name}` })
    .definition(expression)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc);
}
