// SPDX-License-Identifier: AGPL-3.0-or-later
// The rules of grafana/dashboard-linter that concern Prometheus, and what a person would see at once in a browser:
// overlaps, missing units, empty panels.
import * as units from "@grafana/grafana-foundation-sdk/units";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { dashboards, render } from "../../grafana/src/dashboards.ts";
import { dashboardFiles } from "../support/named-metrics.ts";
import { readProjectFile } from "../support/project.ts";
import { readExpression } from "../support/promql.ts";

interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat?: string;
  readonly format?: string;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: unknown;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly targets?: readonly Target[];
  readonly fieldConfig?: {
    readonly defaults: { readonly unit?: string };
    readonly overrides: readonly { properties: readonly { id: string; value?: unknown }[] }[];
  };
}

interface Variable {
  readonly name: string;
  readonly label: string;
  readonly type: string;
  readonly query: unknown;
  readonly datasource?: unknown;
  readonly multi: boolean;
  readonly includeAll: boolean;
  readonly allValue?: string;
  readonly refresh?: number;
}

interface DashboardJson {
  readonly uid: string;
  readonly title: string;
  readonly tags: readonly string[];
  readonly editable: boolean;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
  readonly annotations: { readonly list: readonly { readonly datasource: unknown }[] };
}

const DATASOURCE = { type: "prometheus", uid: "$datasource" };
const COLUMNS = 24;
const knownUnits = new Set(Object.values(units));

describe("grafana/dashboards", () => {
  it("holds exactly the dashboards that are generated", () => {
    const names = Object.keys(dashboards).map((name) => `grafana/dashboards/${name}`);
    expect(dashboardFiles()).toEqual(names.sort());
  });

  it.each(Object.entries(dashboards))("%s is current: npm run dashboards", (name, build) => {
    expect(readProjectFile(`grafana/dashboards/${name}`)).toBe(render(build()));
  });
});

describe.each(dashboardFiles())("%s", (file) => {
  const dashboard = JSON.parse(readProjectFile(file)) as DashboardJson;
  const panels = dashboard.panels.filter(({ type }) => type !== "row");
  const named = panels.map((panel) => [panel.title, panel] as const);
  const variable = (name: string): Variable | undefined =>
    dashboard.templating.list.find((one) => one.name === name);

  it("can be loaded by every Grafana from 10 on, and is not edited there", () => {
    expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(36);
    expect(dashboard.editable).toBe(false);
    expect(dashboard.uid).toMatch(/^nam-[a-z-]{1,30}$/);
    expect(dashboard.tags).toContain("nam");
  });

  it("lets the reader choose the data source, once", () => {
    const sources = dashboard.templating.list.filter(({ type }) => type === "datasource");
    expect(sources).toHaveLength(1);
    expect(sources[0]).toMatchObject({
      name: "datasource",
      label: "Data Source",
      query: "prometheus",
    });
  });

  it.each(["job", "instance"])("lets the reader choose several of %s, or all", (name) => {
    expect(variable(name)).toMatchObject({
      type: "query",
      label: name,
      multi: true,
      includeAll: true,
      allValue: ".+",
      datasource: DATASOURCE,
    });
  });

  it("asks for the values of its variables again when the time range changes", () => {
    const queries = dashboard.templating.list.filter(({ type }) => type === "query");
    expect(queries.map(({ refresh }) => refresh)).toEqual(queries.map(() => 2));
  });

  it("asks the chosen data source for its annotations", () => {
    for (const { datasource } of dashboard.annotations.list) expect(datasource).toEqual(DATASOURCE);
  });

  it("has titles and ids that are each used once", () => {
    const titles = dashboard.panels.map(({ title }) => title);
    expect(titles).toEqual([...new Set(titles)]);
    const ids = dashboard.panels.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)]);
  });

  it("lays every panel on free ground", () => {
    const taken = new Map<string, string>();
    for (const { title, gridPos } of dashboard.panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(COLUMNS);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.get(`${x},${y}`), `${title} on top of`).toBeUndefined();
          taken.set(`${x},${y}`, title);
        }
      }
    }
  });

  it("leaves no hole in the grid", () => {
    const height = Math.max(...dashboard.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
    const area = dashboard.panels.reduce((sum, { gridPos }) => sum + gridPos.w * gridPos.h, 0);
    expect(area).toBe(COLUMNS * height);
  });

  describe.each(named)("panel %s", (_title, panel) => {
    it("says what it shows and why", () => {
      expect(panel.title.length).toBeGreaterThan(2);
      expect(panel.description).toMatch(/^.{30,}\.$/);
    });

    it("asks the chosen data source", () => {
      expect(panel.datasource).toEqual(DATASOURCE);
      expect(panel.targets?.length).toBeGreaterThan(0);
    });

    it("has a unit that Grafana knows", () => {
      expect(knownUnits).toContain(panel.fieldConfig?.defaults.unit);
      const overridden = panel.fieldConfig?.overrides.flatMap(({ properties }) =>
        properties.filter(({ id }) => id === "unit").map(({ value }) => value),
      );
      for (const unit of overridden ?? []) expect(knownUnits).toContain(unit);
    });

    it("names its queries and its lines", () => {
      const ids = (panel.targets ?? []).map(({ refId }) => refId);
      expect(ids).toEqual([...new Set(ids)]);
      for (const { refId, legendFormat, format } of panel.targets ?? []) {
        expect(refId).toMatch(/^\w+$/);
        if (format !== "table") expect(legendFormat).toBeTruthy();
      }
    });

    it("keeps to the chosen job and instance in every selector", () => {
      for (const { metric, matchers } of selectors(panel)) {
        expect({ metric, job: matchers.job }).toEqual({ metric, job: '=~"$job"' });
        expect({ metric, of: matchers.instance }).toEqual({ metric, of: '=~"$instance"' });
      }
    });

    it("takes rates of counters, over Grafana's own interval", () => {
      for (const { metric, range, within } of selectors(panel)) {
        const call = within.find((name) => ["rate", "irate", "increase"].includes(name));
        const counts = /_(total|bucket)$/.test(metric);
        expect(`${metric} ${call !== undefined}`).toBe(`${metric} ${counts}`);
        if (call) expect(range).toBe("$__rate_interval");
      }
    });
  });

  function selectors(panel: Panel) {
    return (panel.targets ?? []).flatMap(({ expr }) => readExpression(expr).selectors);
  }
});

describe("grafana/provisioning", () => {
  it("has one data source with a fixed uid and the scrape interval of prometheus.yml", () => {
    const { datasources } = load(
      readProjectFile("grafana/provisioning/datasources/prometheus.yaml"),
    ) as { datasources: { uid: string; type: string; jsonData: { timeInterval: string } }[] };
    const { global } = load(readProjectFile("prometheus/prometheus.yml")) as {
      global: { scrape_interval: string };
    };
    expect(datasources).toHaveLength(1);
    expect(datasources[0]).toMatchObject({
      uid: "prometheus",
      type: "prometheus",
      jsonData: { timeInterval: global.scrape_interval },
    });
  });

  it("loads the dashboards from files, and keeps the browser from changing them", () => {
    const { providers } = load(readProjectFile("grafana/provisioning/dashboards/nam.yaml")) as {
      providers: unknown[];
    };
    expect(providers).toMatchObject([
      { type: "file", disableDeletion: true, allowUiUpdates: false, folder: "Network" },
    ]);
  });
});
