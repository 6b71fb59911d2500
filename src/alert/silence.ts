// SPDX-License-Identifier: AGPL-3.0-or-later

import { type Anomaly, SEVERITIES } from "../detect/detector.ts";
import { z } from "../util/zod.ts";

const PATTERN_MAX = 256;
const pattern = z
  .string()
  .min(1)
  .max(PATTERN_MAX)
  .describe("The value itself; * stands for any text.");

/** What an anomaly must be like; every field that is given must match. */
export const matcherFields = z
  .strictObject({
    detector: pattern.exactOptional(),
    severity: z.enum(SEVERITIES).exactOptional(),
    class: pattern.exactOptional(),
    interface: pattern.exactOptional(),
    kind: pattern.exactOptional(),
    entity: pattern.exactOptional(),
    source: pattern.exactOptional(),
    destination: pattern.exactOptional(),
    port: z.int().min(0).max(65_535).exactOptional(),
    domain: pattern.exactOptional(),
    mac: pattern.exactOptional(),
    process: pattern.exactOptional(),
    signal: pattern.exactOptional(),
  })
  .refine((matchers) => Object.keys(matchers).length > 0, {
    error: `give at least one field to match; detector: "*" matches everything`,
  });

export type Matchers = z.output<typeof matcherFields>;

/** Hides the messages about anomalies that match, never the events or the metrics. Times are UTC seconds. */
export interface Silence {
  readonly id: string;
  readonly matchers: Matchers;
  readonly reason: string;
  readonly author: string;
  readonly created: number;
  readonly starts: number;
  readonly ends: number;
}

/** True if every field that is given matches. */
export function matches(matchers: Matchers, anomaly: Anomaly): boolean {
  const { entity } = anomaly;
  const values: Readonly<Record<keyof Matchers, string | number | undefined>> = {
    detector: anomaly.detector,
    severity: anomaly.severity,
    class: anomaly.class,
    interface: anomaly.interface,
    kind: entity.kind,
    entity: entity.key,
    source: entity.source,
    destination: entity.destination,
    port: entity.port,
    domain: entity.domain,
    mac: entity.mac,
    process: entity.process,
    signal: entity.signal,
  };
  return Object.entries(matchers).every(([field, wanted]) => {
    const value = values[field as keyof Matchers];
    return value !== undefined && isLike(String(value), String(wanted));
  });
}

/** True if the text is the pattern, in which `*` stands for any text. Upper and lower case are the same. */
export function isLike(text: string, wanted: string): boolean {
  const parts = wanted.toLowerCase().split("*");
  const value = text.toLowerCase();
  const [first = "", ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return value === first;
  if (!value.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = value.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return value.length - last.length >= at && value.endsWith(last);
}
