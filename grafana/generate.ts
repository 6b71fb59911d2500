// SPDX-License-Identifier: AGPL-3.0-or-later
// npm run dashboards: writes the dashboards that are committed under grafana/dashboards/.
import { writeFileSync } from "node:fs";
import { dashboards, render } from "./src/dashboards.ts";

for (const [file, build] of Object.entries(dashboards)) {
  writeFileSync(new URL(`dashboards/${file}`, import.meta.url), render(build()));
}
