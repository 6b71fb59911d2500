// SPDX-License-Identifier: AGPL-3.0-or-later

import type { TrackerRows } from "../flow/window.ts";
import { scopeOf } from "../util/address-scope.ts";
import { z } from "../util/zod.ts";
import { isPlain, isProgram } from "./ai-targets.ts";
import type { Detector, DetectorContext, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { type StreamHits, UnknownStreams } from "./stream-hits.ts";
import { addressFilter } from "./suggestions.ts";
import { count, endpoint } from "./text.ts";

const HOUR_SECONDS = 3600;

const settings = z.strictObject({
  requests: z
    .int()
    .min(1)
    .default(1)
    .describe(
      "Requests that succeeded within a window, to an address instead of a name, that are told.",
    ),
  streams: z
    .int()
    .min(1)
    .default(3)
    .describe(
      "Token streams within an hour over TLS or QUIC whose ClientHello named no server, from which on they are told.",
    ),
});
type Settings = z.infer<typeof settings>;

/** Somebody uses a language model or a tool server on the internet by its bare address. */
export const aiDirectIp: DetectorDefinition<Settings> = {
  name: "ai_direct_ip",
  class: "agent",
  help: "An agent or a client of a language model asks a server on the internet in clear text by its address instead of a name, and is served; or a server there, whose name no ClientHello told, answers in token streams, which is only worth knowing unless the client is a known program: no provider is reached so, but a machine that somebody set up.",
  severities: ["info", "warning"],
  settings,
  quietSeconds: 60,
  create: (own, context) => new DirectAddresses(own, context),
};

class DirectAddresses implements Detector {
  readonly #settings: Settings;
  readonly #isOutside: (server: string) => boolean;
  readonly #hits: UnknownStreams;

  constructor(own: Settings, { isHome }: DetectorContext) {
    this.#settings = own;
    this.#isOutside = (server) => scopeOf(server) === "public" && !isHome(server);
    // In clear text a single request shows it.
    this.#hits = new UnknownStreams(
      (row) => row.host === "" && !isPlain(row) && this.#isOutside(row.server),
    );
  }

  evaluate({ window, seconds, elapsedMs }: Tick): Finding[] {
    const own = this.#settings;
    const { rows } = window;
    const asked = rows.agent_talks
      .filter((row) => row.toAddress >= own.requests && this.#isOutside(row.server))
      .map((row) => talkFinding(row, seconds, own));
    const streamed = this.#hits
      .update(rows, elapsedMs)
      .filter(({ streams }) => streams >= own.streams)
      .map((hits) => streamFinding(hits, own));
    return [...asked, ...streamed];
  }
}

function talkFinding(
  { client, server, port, protocol, toAddress }: TrackerRows["agent_talks"][number],
  windowSeconds: number,
  own: Settings,
): Finding {
  return {
    entity: {
      ...{ kind: "pair", key: `${client} ${server} ${port}` },
      ...{ source: client, destination: server, port },
    },
    severity: "warning",
    protocol,
    observed: toAddress,
    expected: 0,
    threshold: { value: own.requests, setting: "detectors.ai_direct_ip.requests" },
    windowSeconds,
    samples: toAddress,
    evidence: [
      `${count(toAddress, "request")} of ${protocol} to ${endpoint(server, port)} succeeded`,
      "the Host header is an address, the traffic is not encrypted",
    ],
    explanation: `${client} speaks ${protocol} in clear text with ${endpoint(server, port)} on the internet, by its address and not by a name: no known provider is reached so.`,
    suggestion: {
      wireshark_filter: `http && ${addressFilter("src", client)} && ${addressFilter("dst", server)}`,
      promql: `rate(nam_agent_protocol_messages_total{protocol="${protocol}"}[5m])`,
    },
  };
}

function streamFinding({ row, streams }: StreamHits, own: Settings): Finding {
  const { client, server, port, protocol, family } = row;
  return {
    entity: {
      ...{ kind: "pair", key: `${client} ${server} ${port}` },
      ...{ source: client, destination: server, port },
    },
    severity: isProgram(family) ? "warning" : "info",
    protocol,
    observed: streams,
    expected: 0,
    threshold: { value: own.streams, setting: "detectors.ai_direct_ip.streams" },
    windowSeconds: HOUR_SECONDS,
    samples: streams,
    evidence: [
      `${count(streams, "reply", "replies")} within an hour had the shape of a token stream`,
      "no ClientHello named the server",
      isProgram(family)
        ? `the client is a ${family} program by its TLS`
        : "the client's TLS is no known program's",
    ],
    explanation: `${client} gets replies from ${endpoint(server, port)} on the internet that have the shape of a language model's token stream, by its address and not by a name: no known provider is reached so.`,
    suggestion: {
      wireshark_filter: `${addressFilter("src", client)} && ${addressFilter("dst", server)} && ${protocol}`,
      promql: 'rate(nam_ai_stream_episodes_total{known="no"}[5m])',
    },
  };
}
