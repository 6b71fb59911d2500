// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * What one host did with DNS in a window: as a client, which asks, and as a server (`served…`), which is asked. A
 * resolver is both. Bytes are those of DNS messages, without headers.
 */
export interface DnsHostRow {
  readonly host: string;
  /** Queries it sent, their bytes, those for TXT, and those it sent again before an answer came. */
  readonly queries: number;
  readonly queryBytes: number;
  readonly txtQueries: number;
  readonly repeats: number;
  /** Responses it got, asked for or not, their bytes, and how many said NXDOMAIN or SERVFAIL. */
  readonly responses: number;
  readonly responseBytes: number;
  readonly nxdomain: number;
  readonly servfail: number;
  /** Its queries that were 5 s without a response when this window ended. */
  readonly timeouts: number;
  /** Responses to no query that was seen, and their bytes: what the victim of an amplification attack gets. */
  readonly unsolicited: number;
  readonly unsolicitedBytes: number;
  /** Estimate of the distinct registrable domains it asked about in the last 5 to 10 minutes. */
  readonly domains: number;
  /** Queries it was sent, those for ANY, TXT, DNSKEY or RRSIG, which small queries make large, and their bytes. */
  readonly servedQueries: number;
  readonly servedAmplifying: number;
  readonly servedQueryBytes: number;
  /** Responses it sent, their bytes, and the longest: servedResponseBytes / servedQueryBytes is its amplification. */
  readonly servedResponses: number;
  readonly servedResponseBytes: number;
  readonly servedLargest: number;
  readonly servedTimeouts: number;
  /** Estimate of the distinct addresses that asked it in the last 5 to 10 minutes. */
  readonly clients: number;
  /** The address that most of the queries to it came from, or one of many, and how many did at least. */
  readonly topClient: string;
  readonly topClientQueries: number;
  /** First and last DNS message of the host, milliseconds on its sensor's own clock. */
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Fields that are counted, in the order of their words in a row. */
export const COUNTS = [
  ...(["queries", "queryBytes", "txtQueries", "repeats", "responses", "responseBytes"] as const),
  ...(["nxdomain", "servfail", "timeouts", "unsolicited", "unsolicitedBytes"] as const),
  ...(["servedQueries", "servedAmplifying", "servedQueryBytes", "servedResponses"] as const),
  ...(["servedResponseBytes", "servedTimeouts"] as const),
] as const;
export type Count = (typeof COUNTS)[number];

/** Word of each of them. */
export const Column = Object.fromEntries(COUNTS.map((name, column) => [name, column])) as Record<
  Count,
  number
>;

/** Order of rows: first those with most that went wrong or is unusual, then those with most messages. */
export function weigh(value: (name: Count) => number): number {
  const unusual =
    value("nxdomain") +
    value("servfail") +
    value("timeouts") +
    value("unsolicited") +
    value("servedAmplifying");
  const messages =
    value("queries") + value("responses") + value("servedQueries") + value("servedResponses");
  return unusual * 65_536 + Math.min(messages, 65_534) + 1;
}
