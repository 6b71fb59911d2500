// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { aiAgents } from "./ai-agents.ts";
import { overview } from "./overview.ts";

/** File under grafana/dashboards/ → what builds it. */
export const dashboards: Readonly<Record<string, () => Dashboard>> = {
  "ai-agents.json": aiAgents,
  "overview.json": overview,
};

/** The text that is committed: stable, so that a change of a panel is a small diff. */
export function render(dashboard: Dashboard): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}
