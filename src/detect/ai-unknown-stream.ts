// SPDX-License-Identifier: AGPL-3.0-or-later

import { scopeOf } from "../util/address-scope.ts";
import { z } from "../util/zod.ts";
import { type AiCallRow, entityOf, isPlain, isProgram, targetOf } from "./ai-targets.ts";
import type { Detector, DetectorContext, DetectorDefinition, Finding, Tick } from "./detector.ts";
import { type StreamHits, UnknownStreams } from "./stream-hits.ts";
import { addressFilter } from "./suggestions.ts";
import { bytes, count } from "./text.ts";

const HOUR_SECONDS = 3600;
/** Labels of host names that interfaces for programs have. */
const API_LABEL = /(?:^|[.-])(?:api|llm|ai|gpt|inference|model|models|chat|completions)(?:[.-]|$)/;

const settings = z.strictObject({
  streams: z
    .int()
    .min(1)
    .default(3)
    .describe("Token streams from one server within an hour, from which on it is told."),
});
type Settings = z.infer<typeof settings>;

/** A language model that nobody told of. */
export const aiUnknownStream: DetectorDefinition<Settings> = {
  name: "ai_unknown_stream",
  class: "ai",
  help: "A server whose name is no known provider's answers a host in streams with the shape of a language model's, several times within an hour, over TLS, over QUIC, or in clear text on the internet: somebody uses a model that nobody listed. A warning where the client is a program or the name is an interface's. Add a known one under ai.providers, or under ai.never what is none.",
  severities: ["info", "warning"],
  settings,
  quietSeconds: 60,
  create: (own, context) => new UnknownStream(own, context),
};

class UnknownStream implements Detector {
  readonly #settings: Settings;
  readonly #hits: UnknownStreams;

  constructor(own: Settings, { isHome }: DetectorContext) {
    this.#settings = own;
    const isOutside = (server: string): boolean => scopeOf(server) === "public" && !isHome(server);
    // A bare address on the internet is told by ai_direct_ip, a model of the own network that speaks in clear text by ai_server_exposed.
    this.#hits = new UnknownStreams((row) =>
      isOutside(row.server) ? row.host !== "" : !isPlain(row),
    );
  }

  evaluate({ window, elapsedMs }: Tick): Finding[] {
    return this.#hits
      .update(window.rows, elapsedMs)
      .filter(({ streams }) => streams >= this.#settings.streams)
      .map((hits) => this.#finding(hits));
  }

  #finding({ row, streams }: StreamHits): Finding {
    const { client, server, host, family, protocol } = row;
    const hasApiName = API_LABEL.test(host);
    const metric = isPlain(row)
      ? 'nam_agent_protocol_messages_total{kind="stream"}'
      : 'nam_ai_stream_episodes_total{known="no"}';
    return {
      entity: entityOf(row),
      severity: isProgram(family) || hasApiName ? "warning" : "info",
      protocol,
      observed: streams,
      expected: 0,
      threshold: { value: this.#settings.streams, setting: "detectors.ai_unknown_stream.streams" },
      windowSeconds: HOUR_SECONDS,
      samples: streams,
      evidence: [
        `${count(streams, "reply", "replies")} within an hour came in small records of one size, a few milliseconds to a quarter of a second apart`,
        `${bytes(row.upBytes)} up and ${bytes(row.downBytes)} down in this window`,
        clientOf(row),
        hasApiName ? `${host} is named as an interface is` : `the server is ${server}`,
      ],
      explanation: `${client} gets replies from ${targetOf(row)}${isPlain(row) ? ", in clear text," : ""} that have the shape of a language model's token stream, and this is no known provider: a model is used that nobody listed.`,
      suggestion: {
        wireshark_filter: `${addressFilter("src", client)} && ${addressFilter("dst", server)}`,
        promql: `rate(${metric}[5m])`,
      },
    };
  }
}

/** What is known of the client. */
function clientOf(row: AiCallRow): string {
  if (isPlain(row)) return "requests and replies are those of a language model's interface";
  return isProgram(row.family)
    ? `the client is a ${row.family} program by its TLS`
    : "the client's TLS is no known program's";
}
