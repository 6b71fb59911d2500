// SPDX-License-Identifier: AGPL-3.0-or-later
import type { PanelBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import * as units from "@grafana/grafana-foundation-sdk/units";
import { line, stacked } from "../panels.ts";
import { rate } from "../select.ts";

const LAYERS = ["network", "transport", "application"] as const;

const MEASURES = [
  { metric: "packets", title: "Packets", unit: units.PacketsPerSecond },
  { metric: "bytes", title: "Bytes", unit: units.BytesPerSecondSI },
] as const;

/** Packets, then bytes, by the protocol of each of the three layers. */
export function trafficPanels(): PanelBuilder[] {
  return MEASURES.flatMap(({ metric, title, unit }) =>
    LAYERS.map((layer) =>
      stacked(
        {
          title: `${title} by ${layer} protocol`,
          description: `${title} a second by ${layer} protocol, both directions. Every packet is counted once in each layer, so the three stacks are equally high.`,
          unit,
        },
        8,
      ).withTarget(
        line(`sum by (protocol) (${rate(`nam_${layer}_${metric}_total`)}) > 0`, "{{protocol}}"),
      ),
    ),
  );
}
