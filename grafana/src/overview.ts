// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { build } from "./build.ts";
import { anomalyPanels } from "./overview/anomalies.ts";
import { baselinePanels } from "./overview/baselines.ts";
import { deliveryPanels } from "./overview/delivery.ts";
import { healthPanels } from "./overview/health.ts";
import { hostPanels } from "./overview/host.ts";
import { protocolPanels } from "./overview/protocols.ts";
import { summaryPanels } from "./overview/summary.ts";
import { trafficPanels } from "./overview/traffic.ts";
import { baselineVariable, signalVariable } from "./variables.ts";

/** The one dashboard that answers: is anything wrong, what does the traffic look like, can I believe it. */
export function overview(): Dashboard {
  return build(
    {
      title: "Network anomaly monitor / Overview",
      uid: "nam-overview",
      description:
        "Traffic by protocol, baselines and z-scores, open incidents, the host, alert delivery, and the health of the monitor itself.",
      tags: ["network"],
      variables: [signalVariable(), baselineVariable()],
    },
    [
      { title: "", panels: summaryPanels() },
      { title: "Anomalies", panels: anomalyPanels() },
      { title: "Traffic", panels: trafficPanels() },
      { title: "Baselines and z-scores", panels: baselinePanels() },
      { title: "Protocols", panels: protocolPanels() },
      { title: "Host", panels: hostPanels() },
      { title: "Alert delivery", panels: deliveryPanels() },
      { title: "Health of the monitor", panels: healthPanels() },
    ],
  );
}
