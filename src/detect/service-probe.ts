// SPDX-License-Identifier: AGPL-3.0-or-later

import type { TrackerRows } from "../flow/window.ts";
import { z } from "../util/zod.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Detector, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { addressFilter } from "./suggestions.ts";
import { count, duration, endpoint } from "./text.ts";

const settings = z.strictObject({
  applications: z
    .int()
    .min(2)
    .default(4)
    .describe(
      "Different applications that one client speaks to one TCP port within the time that are a probe.",
    ),
  seconds: z
    .number()
    .min(1)
    .default(300)
    .describe("Seconds for which an application that was spoken counts."),
});
type Settings = z.infer<typeof settings>;
type Row = TrackerRows["applications"][number];

const CAPACITY = 4096;
/** More applications than this are not remembered of a port. */
const MOST = 32;

/** Somebody finds out what a port speaks. */
export const serviceProbe: DetectorDefinition<Settings> = {
  name: "service_probe",
  class: "scan",
  help: "One client speaks many different applications, TLS among them, to the same TCP port within minutes: it finds out what runs there, as scanners do before an attack.",
  severities: ["warning"],
  settings,
  quietSeconds: 60,
  create: (own) => new ServiceProbe(own),
};

class ServiceProbe implements Detector {
  readonly #settings: Settings;
  /** By client and port, when each application was spoken last. */
  readonly #spoken = new BoundedMap<Map<string, number>>(CAPACITY);

  constructor(own: Settings) {
    this.#settings = own;
  }

  evaluate(tick: Tick): Finding[] {
    const touched = new Map<string, Row>();
    for (const row of tick.window.rows.applications) {
      if (row.protocol !== "tcp") continue;
      const key = `${row.topClient} ${row.server} ${row.port}`;
      const spoken = this.#spoken.use(key, () => new Map());
      if (spoken.size < MOST) spoken.set(row.application, tick.elapsedMs);
      touched.set(key, row);
    }
    return [...touched].flatMap(([key, row]) => this.#judge(key, row, tick.elapsedMs));
  }

  #judge(key: string, row: Row, elapsedMs: number): Finding[] {
    const own = this.#settings;
    const spoken = this.#spoken.peek(key) ?? new Map<string, number>();
    for (const [name, atMs] of spoken) {
      if (elapsedMs - atMs > own.seconds * 1000) spoken.delete(name);
    }
    return spoken.size < own.applications ? [] : [this.#finding(key, row, [...spoken.keys()])];
  }

  #finding(key: string, { topClient, server, port }: Row, names: readonly string[]): Finding {
    const { applications, seconds } = this.#settings;
    return {
      entity: { kind: "source", key, source: topClient, destination: server, port },
      severity: "warning",
      protocol: "tcp",
      observed: names.length,
      expected: 1,
      threshold: { value: applications, setting: "detectors.service_probe.applications" },
      windowSeconds: seconds,
      samples: names.length,
      evidence: [`spoken (by payload): ${names.slice(0, 10).join(", ")}`],
      explanation: `${topClient} spoke ${count(names.length, "different application")} to ${endpoint(server, port)} within ${duration(seconds)}: it finds out what runs there.`,
      suggestion: {
        wireshark_filter: `${addressFilter("src", topClient)} && ${addressFilter("dst", server)} && tcp.dstport == ${port}`,
        promql: "rate(nam_application_packets_total[1m])",
      },
    };
  }
}
