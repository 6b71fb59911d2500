// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { callPanels } from "./ai-agents/calls.ts";
import { clearTextPanels } from "./ai-agents/clear-text.ts";
import { limitPanels } from "./ai-agents/limits.ts";
import { providerPanels } from "./ai-agents/providers.ts";
import { AI_DETECTORS, aiSummaryPanels } from "./ai-agents/summary.ts";
import { build } from "./build.ts";
import { anomalyPanels } from "./overview/anomalies.ts";

/** Who uses which models, what agents do, and what of it deserves attention. */
export function aiAgents(): Dashboard {
  return build(
    {
      title: "Network anomaly monitor / AI agents",
      uid: "nam-ai-agents",
      description:
        "AI providers by name, calls and token streams by their shape, agents and tool servers in clear text, and what the AI detectors found. Nothing is decrypted, and no words are kept.",
      tags: ["ai"],
      events: [AI_DETECTORS],
    },
    [
      { title: "", panels: aiSummaryPanels() },
      { title: "Anomalies of AI traffic", panels: anomalyPanels(AI_DETECTORS) },
      { title: "Providers", panels: providerPanels() },
      { title: "Calls and token streams", panels: callPanels() },
      { title: "Agents and models in clear text", panels: clearTextPanels() },
      { title: "What limits these numbers", panels: limitPanels() },
    ],
  );
}
