// SPDX-License-Identifier: AGPL-3.0-or-later
// Token streams of a real TLS server on loopback, captured by the product: how many are recognised at each cadence.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { probit } from "simple-statistics";
import { createSource } from "../../src/capture/all.ts";
import type { CaptureSource } from "../../src/capture/source.ts";
import { messageOf } from "../../src/util/errors.ts";
import { CallBench } from "../../test/support/ai-calls.ts";
import { Authority, type Certificate } from "../../test/support/certificates.ts";
import { askFor, TokenServer } from "../../test/support/token-streams.ts";
import { percentSpan, type Section, span, table } from "./section.ts";

const REPLIES = 60;
/** Events of a reply: log-normal around the median, and at most so many that an evaluation ends. */
const MEDIAN_EVENTS = 140;
const SPREAD = 0.95;
const EVENTS_MAX = 400;
/** Of shorter replies nothing is said. */
const LEAST_EVENTS = 20;

/** How often a cadence is measured at which chance decides. */
const CHANCE_RUNS = 6;

interface Cadence {
  readonly gapMs: number;
  readonly batch: number;
  /** How often it is measured. */
  readonly runs: number;
  /** Recall that was known of synthetic replays of recorded streams before there was a product; null where none was. */
  readonly known: number | null;
}

const CADENCES: readonly Cadence[] = [
  { gapMs: 4, batch: 1, runs: CHANCE_RUNS, known: null },
  { gapMs: 8, batch: 1, runs: 1, known: 55 },
  { gapMs: 20, batch: 1, runs: 1, known: 83 },
  { gapMs: 40, batch: 1, runs: 1, known: 98 },
  { gapMs: 100, batch: 1, runs: 1, known: 98 },
  { gapMs: 20, batch: 5, runs: 1, known: 0 },
  { gapMs: 20, batch: 20, runs: 1, known: 0 },
];

/** Recall of the shape of token streams; null, and the reason on stderr, where capturing is not permitted. */
export async function streamSection(): Promise<Section | null> {
  const folder = mkdtempSync(join(tmpdir(), "nam-eval-"));
  try {
    const authority = new Authority(folder);
    const certificate = authority.issue("model", ["DNS:localhost"]);
    const rows: string[][] = [];
    for (const cadence of CADENCES) {
      const found: number[] = [];
      for (let run = 0; run < cadence.runs; run++) {
        found.push(await recognised(cadence, certificate, authority.root.cert));
      }
      rows.push(row(cadence, found));
    }
    return section(rows);
  } catch (error) {
    console.error(`no token streams, because lo cannot be captured: ${messageOf(error)}`);
    return null;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** How many of the replies have the shape of a token stream. */
async function recognised(
  { gapMs, batch }: Cadence,
  certificate: Certificate,
  ca: string,
): Promise<number> {
  const server = await TokenServer.start(certificate);
  const { port } = server;
  const source = await capture(port);
  const bench = new CallBench();
  const ended = source.run((frame) => bench.frame(frame));
  // As many at once as come to about a thousand events a second.
  const clients = Math.min(REPLIES, Math.max(2, gapMs));
  const replies = lengths().map((events, seed) => ({ events, gapMs, batch, seed }));
  try {
    await Promise.all(
      Array.from({ length: clients }, (_, client) =>
        askFor(
          replies.filter((_reply, at) => at % clients === client),
          { port, ca },
        ),
      ),
    );
    await until(() => bench.stage.calls.watched === 0);
  } finally {
    await server.close();
    source.stop();
    await ended;
    source.close();
  }
  bench.finish();
  return bench.calls.filter(({ isStream }) => isStream).length;
}

/** Waits for what has been sent to be read from the ring. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await nextTurn();
}

async function capture(port: number): Promise<CaptureSource> {
  const source = await createSource({
    ...{ source: "afpacket", interfaceName: "lo", filter: `tcp port ${port}`, stealth: false },
    ...{ snaplen: 65_535, promiscuous: false, ringMib: 16, fanoutGroup: null },
  });
  await source.open();
  return source;
}

/** Quantiles of the lengths, so that each evaluation has the same, short and long ones mixed. */
function lengths(): number[] {
  const sorted = Array.from({ length: REPLIES }, (_, at) => {
    const events = MEDIAN_EVENTS * Math.exp(SPREAD * probit((at + 0.5) / REPLIES));
    return Math.min(EVENTS_MAX, Math.round(events));
  });
  return sorted.map((_, at) => sorted[(at * 7) % REPLIES] ?? 0);
}

function row({ gapMs, batch, known }: Cadence, found: readonly number[]): string[] {
  const writes = batch === 1 ? "each by itself" : `${batch} to a write`;
  const long = lengths().filter((events) => events >= LEAST_EVENTS && events * gapMs >= 1000);
  return [
    ...[`${gapMs} ms`, writes, `${span(found)} of ${REPLIES}`, percentSpan(found, REPLIES)],
    ...[known === null ? "–" : `${known} %`, String(long.length)],
  ];
}

function section(rows: readonly string[][]): Section {
  return {
    title: "Token streams",
    parts: [
      `A real TLS 1.3 server on loopback streams replies in the form of OpenAI's interface, padding included, to a real client, and the product captures them. For each cadence there are ${REPLIES} replies of ${MEDIAN_EVENTS} events in the middle (log-normal, σ ${SPREAD}, at most ${EVENTS_MAX}), each gap half to one and a half of the cadence. The lengths were fitted by us: the same for each cadence, and spread so that about as many replies are too short as in the replays whose recall was known. That the figures at 8 and 20 ms agree with those therefore proves nothing by itself. As in real life some replies take less than a second, and these are missed on purpose: long enough are those of a second and ${LEAST_EVENTS} events. Known is the recall of replays of recorded streams before there was a product. This section is measured in real time, so that its numbers may differ by a few percent from run to run.`,
      table(["Between events", "Written", "Recognised", "Recall", "Known", "Long enough"], rows),
      `At 4 ms the events come about as fast as the shape allows at most, so that it is chance, and the machine's load, whether a reply is recognised: the row gives the least and the most of ${CHANCE_RUNS} runs. The one run that was known before missed. Events that are written together are no longer records of one event each: that is how the shape is evaded, by a server as by a proxy on the way.`,
    ],
  };
}
