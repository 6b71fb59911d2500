// SPDX-License-Identifier: AGPL-3.0-or-later

import type { TrackerRows } from "../flow/window.ts";
import { z } from "../util/zod.ts";
import type { DetectorDefinition, Finding } from "./detector.ts";
import { addressFilter } from "./suggestions.ts";
import { Surges } from "./surge.ts";
import { bytes, count, number } from "./text.ts";

type ReflectionRow = TrackerRows["reflections"][number];

const CAPACITY = 1024;

const settings = z.strictObject({
  factor: z
    .number()
    .gt(1)
    .default(10)
    .describe("Answers that are this many times as long as their questions amplify."),
  bytes: z
    .number()
    .gt(0)
    .default(150_000)
    .describe("Bytes a second of such answers to one address that are an attack."),
  unsolicited: z
    .number()
    .gt(0)
    .default(50)
    .describe("Answers a second that one address did not ask for and that are an attack."),
});

/** Large answers to small questions with a forged source (US-CERT TA14-017A). */
export const amplification: DetectorDefinition<z.infer<typeof settings>> = {
  name: "amplification",
  class: "flood",
  help: "UDP services (DNS, NTP, SSDP, memcached …) send one address answers far longer than the questions, or that it never asked for: it is the victim of questions with a forged source.",
  severities: ["critical"],
  settings,
  quietSeconds: 30,
  create: (own) => {
    const surges = new Surges(CAPACITY);
    return {
      evaluate: (tick) =>
        tick.window.rows.reflections.flatMap((row) => {
          const seconds = Math.max(1, tick.seconds);
          const factor = row.answerBytes / Math.max(1, row.queryBytes);
          const amplified = row.queries > 0 && factor >= own.factor;
          const share = amplified ? row.answerBytes / seconds / own.bytes : 0;
          const alone = row.unsolicited / seconds / own.unsolicited;
          const isAlone = alone > share;
          const key = `${row.victim} ${row.port}`;
          if (!surges.update(key, Math.max(share, alone), 1, tick)) return [];
          const setting = isAlone ? "unsolicited" : "bytes";
          const observed = (isAlone ? row.unsolicited : row.answerBytes) / seconds;
          return [finding(row, setting, own[setting], observed, factor, tick.seconds)];
        }),
    };
  },
};

function finding(
  row: ReflectionRow,
  setting: "unsolicited" | "bytes",
  value: number,
  observed: number,
  factor: number,
  seconds: number,
): Finding {
  const { victim, port, queries, queryBytes, answers, answerBytes, unsolicited, topServer } = row;
  const much =
    setting === "bytes"
      ? `${bytes(observed)}/s of answers from UDP port ${port}, ${number(factor)} times as long as the questions`
      : `${number(observed)} answers/s from UDP port ${port} that it did not ask for`;
  return {
    entity: { kind: "destination", key: `${victim} port ${port}`, destination: victim, port },
    severity: "critical",
    protocol: "udp",
    observed,
    expected: 0,
    threshold: { value, setting: `detectors.amplification.${setting}` },
    windowSeconds: seconds,
    samples: answers,
    evidence: [
      `${count(queries, "question")} of ${bytes(queryBytes)}, ${count(answers, "answer")} of ${bytes(answerBytes)}`,
      `${count(unsolicited, "answer")} without a question`,
      `most between it and ${topServer}`,
    ],
    explanation: `${victim} gets ${much}: somebody asks in its name to flood it.`,
    suggestion: {
      wireshark_filter: `${addressFilter("dst", victim)} && udp.srcport == ${port}`,
      promql: 'rate(nam_transport_bytes_total{protocol="udp"}[1m])',
    },
  };
}

const dnsSettings = z.strictObject({
  queries: z
    .number()
    .gt(0)
    .default(50)
    .describe("Queries a second about one domain, nearly all in vain, that are an attack."),
  subdomains: z
    .int()
    .min(1)
    .default(200)
    .describe("Least distinct names below the domain within two minutes."),
});

/** Ever new names below one domain, which no cache can answer. */
export const dnsFlood: DetectorDefinition<z.infer<typeof dnsSettings>> = {
  name: "dns_flood",
  class: "flood",
  help: "Very many queries for ever new names below one domain fail or stay unanswered: a random-subdomain flood against the domain's servers.",
  severities: ["critical"],
  settings: dnsSettings,
  quietSeconds: 30,
  create: (own) => {
    const surges = new Surges(CAPACITY);
    return {
      evaluate: (tick) =>
        tick.window.rows.dns_zones.flatMap((row) => {
          const { domain, queries, responses, nxdomain, servfail, subdomains, clients } = row;
          const good = Math.max(0, responses - nxdomain - servfail);
          const isVain = good * 4 <= queries && subdomains >= own.subdomains;
          const rate = isVain ? queries / Math.max(1, tick.seconds) : 0;
          if (!surges.update(domain, rate, own.queries, tick)) return [];
          const failing: Finding = {
            entity: {
              ...{ kind: "destination", key: domain, domain },
              ...(row.topServer === "" ? {} : { destination: row.topServer }),
            },
            severity: "critical",
            protocol: "dns",
            observed: queries / Math.max(1, tick.seconds),
            expected: 0,
            threshold: { value: own.queries, setting: "detectors.dns_flood.queries" },
            windowSeconds: tick.seconds,
            samples: queries,
            evidence: [
              `${count(queries, "query", "queries")}, ${number(nxdomain)} NXDOMAIN, ${number(servfail)} SERVFAIL, ${number(Math.max(0, queries - responses))} unanswered`,
              `about ${count(subdomains, "distinct name")} from ${count(clients, "client")} within two minutes`,
              `most go to ${row.topServer === "" ? "no one server" : row.topServer}`,
            ],
            explanation: `${number(queries / Math.max(1, tick.seconds))} queries/s ask for ever new names below ${domain} that do not exist: the domain's servers are flooded.`,
            suggestion: {
              wireshark_filter: `dns.qry.name contains "${domain.replace(/[^\w.-]/g, "")}"`,
              promql: 'rate(nam_application_packets_total{protocol="dns"}[1m])',
            },
          };
          return [failing];
        }),
    };
  },
};
