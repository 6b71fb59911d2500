// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Section } from "./section.ts";
export function simulationSection(): Section {
  return { title: "Simulations", parts: [] };
}
