// SPDX-License-Identifier: AGPL-3.0-or-later
import type { MetricDefinition, SignalDefinition } from "../metrics/metric.ts";
import { VERSION_LABELS } from "./hello-versions.ts";

export const TRANSPORTS = ["tcp", "quic", "dtls"] as const;
export type HelloTransport = (typeof TRANSPORTS)[number];
const SNI_LABELS = ["yes", "no"];
/** Client families by the cipher part of their JA4, measured on the software named; the second of Node is of versions 22 to 24. */
const FAMILIES: ReadonlyMap<string, string> = new Map([
  ["85036bcba153", "python"],
  ["a33745022dd6", "node"],
  ["b262b3658495", "node"],
  ["e8f1e7e78f70", "curl"],
  ["9dc949149365", "go"],
  ["8daaf6152771", "chromium"],
  ["db35923f8641", "java"],
  ["61a7ad8aa9b6", "deno"],
  ["5b57614c22b0", "firefox"],
  ["a09f3c656075", "safari"],
]);
export const OTHER_FAMILY = "other";
const FAMILY_LABELS = [...new Set(FAMILIES.values()), OTHER_FAMILY];
/** Families that many networks never see: their series appear with their first hello. */
const RARE: ReadonlySet<string> = new Set(["java", "deno", "firefox", "safari"]);
export const hellos: MetricDefinition = {
  name: "nam_tls_hellos_total",
  help: "ClientHellos by transport, highest version offered, presence of a server name that is not just an ECH public name, and client family (by the cipher part of JA4). java, deno, firefox and safari appear when they are first seen.",
  type: "counter",
  labels: {
    transport: TRANSPORTS,
    version: VERSION_LABELS,
    sni: SNI_LABELS,
    family: FAMILY_LABELS,
  },
  appearsWith: ({ family = "" }) => (RARE.has(family) ? family : ""),
};
const FEATURES = ["ech", "pre_shared_key", "session_ticket", "early_data"] as const;
export const features: MetricDefinition = {
  name: "nam_tls_hello_features_total",
  help: "ClientHellos by what they bring: an ECH extension (real or GREASE), or a sign that a session is resumed: a pre-shared key, a session ticket, early data.",
  type: "counter",
  labels: { feature: FEATURES },
};
export const skipped: MetricDefinition = {
  name: "nam_tls_hellos_skipped_total",
  help: "ClientHellos that were read but not noted or fingerprinted, because too many came in one second.",
  type: "counter",
};
export const unfingerprinted: MetricDefinition = {
  name: "nam_tls_hellos_unfingerprinted_total",
  help: "ClientHellos noted without JA3 and JA4, because they list more ciphers, extensions, groups and algorithms than any usual client does.",
  type: "counter",
};

export const clientHelloMetrics: readonly MetricDefinition[] = [
  hellos,
  features,
  skipped,
  unfingerprinted,
];

export const clientHelloSignals: readonly SignalDefinition[] = [
  { name: "tls_hellos", help: "TLS ClientHellos", metric: hellos, unit: "messages" },
  {
    name: "tls_hellos_without_sni",
    help: "TLS ClientHellos without a server name",
    metric: hellos,
    where: { sni: "no" },
    unit: "messages",
  },
];

/** Family of the client whose JA4 has this cipher part. */
export function familyOf(ja4Ciphers: string): string {
  return FAMILIES.get(ja4Ciphers) ?? OTHER_FAMILY;
}

/** Offset of a series in the hello family; the last label varies fastest. */
export function helloCell(
  transport: HelloTransport,
  version: string,
  named: boolean,
  family: string,
): number {
  let cell = TRANSPORTS.indexOf(transport);
  cell = cell * VERSION_LABELS.length + VERSION_LABELS.indexOf(version);
  cell = cell * SNI_LABELS.length + (named ? 0 : 1);
  return cell * FAMILY_LABELS.length + FAMILY_LABELS.indexOf(family);
}
