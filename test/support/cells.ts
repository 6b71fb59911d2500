// SPDX-License-Identifier: AGPL-3.0-or-later
import type { CellLayout } from "../../src/metrics/cells.ts";

/** Sum of a family's cells whose labels match. */
export function cellValue(
  layout: CellLayout,
  values: Float64Array,
  name: string,
  where: Readonly<Record<string, string>> = {},
): number {
  const definition = layout.definitions().find((one) => one.name === name);
  if (!definition) throw new Error(`no metric ${name}`);
  return layout.slots(definition, where).reduce((sum, slot) => sum + (values[slot] ?? 0), 0);
}
