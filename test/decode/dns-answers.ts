// SPDX-License-Identifier: AGPL-3.0-or-later
import { expect } from "vitest";
import { lowerCase, total } from "./counts.ts";
import type { Counts, Decoding } from "./decoding.ts";
import { framesOverIp, type Reference } from "./reference.ts";

const RCODES = ["noerror", "formerr", "servfail", "nxdomain", "notimp", "refused"];
const QUERY_TYPES = {
  a: 1,
  ns: 2,
  cname: 5,
  soa: 6,
  null: 10,
  ptr: 12,
  mx: 15,
  txt: 16,
  aaaa: 28,
  srv: 33,
  svcb: 64,
  https: 65,
  any: 255,
};

/** DNS messages, their codes and names. */
export function expectDns(decoding: Decoding, reference: Reference): void {
  const { dns } = reference.answer;
  const queries = decoding.value("nam_dns_messages_total", { kind: "query" });
  const responses = decoding.value("nam_dns_messages_total", { kind: "response" });
  const names = decoding.tally("dns.names");
  const expectedNames = lowerCase(dns.query_names);
  if (framesOverIp(reference, "dns") === dns.frames) {
    expect({ queries, responses }, "DNS messages").toEqual({
      queries: dns.queries,
      responses: dns.responses,
    });
    for (const [number, rcode] of RCODES.entries()) {
      const count = decoding.value("nam_dns_responses_total", { rcode });
      expect(count, `DNS responses ${rcode}`).toBe(dns.response_rcodes[number] ?? 0);
    }
    for (const [qtype, number] of Object.entries(QUERY_TYPES)) {
      const count = decoding.value("nam_dns_messages_total", { kind: "query", qtype });
      expect(count, `DNS queries ${qtype}`).toBe(dns.query_types[number] ?? 0);
    }
    expect(total(names), "DNS query names").toBe(total(expectedNames));
    expect(inAscii(names)).toEqual(inAscii(expectedNames));
  } else {
    expect(queries + responses, "DNS messages").toBeLessThanOrEqual(dns.frames);
    for (const [name, count] of Object.entries(inAscii(names))) {
      expect(count, name).toBeLessThanOrEqual(expectedNames[name] ?? 0);
    }
  }
}

/** tshark names every question of a message, here the first one is: whatever is named must be right. */
export function expectLocalNames(decoding: Decoding, reference: Reference): void {
  for (const service of ["mdns", "llmnr"] as const) {
    const answer = reference.answer[service];
    if (!answer || framesOverIp(reference, service) !== answer.frames) continue;
    const count = (kind: string) => decoding.value(`nam_${service}_messages_total`, { kind });
    expect({ queries: count("query"), responses: count("response") }, service).toEqual({
      queries: answer.queries,
      responses: answer.responses,
    });
    const expected = lowerCase(answer.query_names);
    for (const [name, times] of Object.entries(inAscii(decoding.tally(`${service}.names`)))) {
      expect(expected[name], `${service} ${name}`).toBeGreaterThanOrEqual(times);
    }
  }
}

/** Names of printable ASCII: tshark shows other bytes as what they would be in UTF-8, and loses some. */
function inAscii(counts: Counts): Counts {
  return Object.fromEntries(
    Object.entries(counts).filter(([name]) => /^[\x21-\x5b\x5d-\x7e]+$/.test(name)),
  );
}
