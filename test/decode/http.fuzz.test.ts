// SPDX-License-Identifier: AGPL-3.0-or-later
// However HTTP is cut into segments, repeated or damaged: the same messages are counted, or nothing breaks.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FlowDecoding } from "./flow-decoding.ts";
import { Talk } from "./talk.ts";

const RUNS = Number(process.env.NAM_FUZZ_RUNS ?? 1_000);
const SEED = Number(process.env.NAM_FUZZ_SEED ?? 1);

/** One for all runs, each of which is a connection of its own: making it takes far longer than a run. */
const decoding = new FlowDecoding();
const FIRST_PORT = 1024;
const PORTS = 60_000;
let connections = 0;

/** A connection, and what is counted from its start on. */
function connect(serverPort?: number): {
  talk: Talk;
  counted: () => Record<"requests" | "responses", number>;
} {
  const count = () => ({
    requests: decoding.value("nam_http_requests_total"),
    responses: decoding.value("nam_http_responses_total"),
  });
  const before = count();
  const talk = new Talk(serverPort, FIRST_PORT + (connections++ % PORTS), decoding);
  return {
    talk,
    counted: () => {
      const after = count();
      return {
        requests: after.requests - before.requests,
        responses: after.responses - before.responses,
      };
    },
  };
}

/** Text that may look like the protocol itself. */
const content = fc
  .array(
    fc.constantFrom(
      ...["GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n", "\r\n", "\n", "0", "\0", "abc", "ffff"],
      ...["Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"],
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(""));

const fields = fc
  .array(fc.constantFrom("Host: a", "X-Long: ".padEnd(120, "y"), "user-agent: z", "Upgrade: no"), {
    maxLength: 3,
  })
  .map((lines) => lines.map((line) => `${line}\r\n`).join(""));

const body = fc.oneof(
  content.map((text) => `Content-Length: ${text.length}\r\n\r\n${text}`),
  fc
    .array(
      content.filter((text) => text.length > 0),
      { maxLength: 3 },
    )
    .map((chunks) => {
      const parts = chunks.map((text) => `${text.length.toString(16)};q="x"\r\n${text}\r\n`);
      return `transfer-encoding:Chunked\r\n\r\n${parts.join("")}0\r\nX-Trailer: 1\r\n\r\n`;
    }),
);

const request = fc
  .tuple(fc.constantFrom("GET", "POST", "PUT", "LOCK"), fields, body)
  .map(([method, lines, rest]) => `${method} /path HTTP/1.1\r\n${lines}${rest}`);
const response = fc
  .tuple(fc.constantFrom("200 OK", "404 Not Found", "503 Busy"), fields, body)
  .map(([status, lines, rest]) => `HTTP/1.1 ${status}\r\n${lines}${rest}`);

const cuts = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 20 });

/** Sends a stream in segments of these lengths, over and over; some of them twice. */
function send(talk: Talk, side: "client" | "server", stream: string, lengths: readonly number[]) {
  let at = 0;
  for (let i = 0; at < stream.length; i++) {
    // A flow is recognised by a start line, of which the first segment has to hold enough.
    const length = (lengths[i % lengths.length] ?? 1) + (at === 0 ? 20 : 0);
    const part = stream.slice(at, at + length);
    talk[side](part);
    if (length % 7 === 0) talk.again(side, part, part.length);
    at += part.length;
  }
}

describe("streams of http", () => {
  it(`${RUNS} of them give the same counts however they are cut`, () => {
    fc.assert(
      fc.property(
        fc.array(request, { minLength: 1, maxLength: 5 }),
        fc.array(response, { minLength: 1, maxLength: 5 }),
        cuts,
        (requests, responses, lengths) => {
          const { talk, counted } = connect();
          send(talk, "client", requests.join(""), lengths);
          send(talk, "server", responses.join(""), lengths);
          const { length } = requests;
          expect(counted()).toEqual({ requests: length, responses: responses.length });
        },
      ),
      { numRuns: RUNS, seed: SEED },
    );
  });

  it(`${RUNS} of them that are damaged break nothing`, () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(request, response, content), { minLength: 1, maxLength: 6 }),
        cuts,
        fc.boolean(),
        (parts, lengths, isLossy) => {
          const { talk, counted } = connect(80);
          for (const [at, part] of parts.entries()) {
            const side = at % 3 === 0 ? "server" : "client";
            send(talk, side, part, lengths);
            if (isLossy) talk.lose(side, lengths[0] ?? 0);
          }
          const found = counted();
          const most = parts.join("").split("HTTP/1.1").length;
          expect(found.requests + found.responses).toBeLessThanOrEqual(most);
        },
      ),
      { numRuns: RUNS, seed: SEED },
    );
  });
});
