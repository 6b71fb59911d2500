// SPDX-License-Identifier: AGPL-3.0-or-later
import { NamError } from "../util/errors.ts";
import { openMetricsName } from "./exposition.ts";
import type { MetricDefinition } from "./metric.ts";

/** The names of one exposition: none may collide in either format. */
export class MetricNames {
  readonly #taken = new Set<string>();

  /**
   * Throws INTERNAL for a name that is taken, also in part: a gauge `nam_x` beside a counter `nam_x_total`, or a gauge
   * `nam_x_count` beside a histogram `nam_x`. Counters, and only counters, end in `_total`.
   */
  claim({ name, type }: MetricDefinition): void {
    if ((type === "counter") !== name.endsWith("_total")) {
      throw new NamError("INTERNAL", `${name}: counters, and only counters, end in _total`);
    }
    const parts = type === "histogram" ? ["_bucket", "_sum", "_count"] : [];
    for (const claimed of [openMetricsName(name, type), ...parts.map((part) => name + part)]) {
      if (this.#taken.has(claimed)) {
        throw new NamError(
          "INTERNAL",
          `metric ${name} is declared twice, or collides with another`,
        );
      }
      this.#taken.add(claimed);
    }
  }
}
