// SPDX-License-Identifier: AGPL-3.0-or-later
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Delivery } from "../../src/alert/alert.ts";
import type { Severity } from "../../src/detect/detector.ts";
import { type Bench, createBench, DOWN, fatesOf, OK, SLACK_RATE } from "../support/alert-bench.ts";
import { anomalyOf } from "../support/anomalies.ts";

interface Incident {
  readonly startMs: number;
  readonly lastsMs: number;
  readonly severity: Severity;
  readonly detector: string;
}

const INCIDENTS = 150;
const SPAN_MS = 3_600_000;
const STEP_MS = 1_000;

const incident: fc.Arbitrary<Incident> = fc.record({
  startMs: fc.integer({ min: 0, max: SPAN_MS }),
  lastsMs: fc.integer({ min: 0, max: 1_200_000 }),
  severity: fc.constantFrom("warning", "critical"),
  detector: fc.constantFrom("port_scan", "syn_flood", "arp_spoof"),
});

/** Answers other than success; nothing of these is delivered. */
const failure: fc.Arbitrary<Delivery> = fc.oneof(
  fc.constant(DOWN),
  fc.constant<Delivery>({ outcome: "retry", reason: "server_error", detail: "503" }),
  fc.integer({ min: 0, max: 40_000 }).map(
    (retryAfterMs): Delivery => ({
      outcome: "retry",
      reason: "rate_limited",
      detail: "429",
      retryAfterMs,
    }),
  ),
);

/** Lets the incidents happen, one tick a second, each with an update a minute. Says how many events there were. */
async function play(bench: Bench, incidents: readonly Incident[]): Promise<number> {
  let events = 0;
  for (let nowMs = 0; nowMs <= 2 * SPAN_MS; nowMs += STEP_MS) {
    const changes = incidents.flatMap(({ startMs, lastsMs, severity, detector }, index) => {
      const ageMs = nowMs - Math.ceil(startMs / STEP_MS) * STEP_MS;
      const endMs = Math.max(STEP_MS, Math.ceil(lastsMs / STEP_MS) * STEP_MS);
      const base = { id: `i${index}`, dedup_key: `k${index}`, severity, detector };
      if (ageMs === 0) return [anomalyOf(base)];
      if (ageMs === endMs) return [anomalyOf({ ...base, state: "resolved" })];
      const isUpdate = ageMs > 0 && ageMs < endMs && ageMs % 60_000 === 0;
      return isUpdate ? [anomalyOf({ ...base, state: "update", time: nowMs })] : [];
    });
    events += changes.length;
    bench.accept(...changes);
    await bench.clock.advance(STEP_MS);
  }
  return events;
}

describe("while the channel fails at random", () => {
  it("every incident is told open before resolved, once each, no faster than allowed, and nothing is lost", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(incident, { minLength: INCIDENTS, maxLength: INCIDENTS }),
        fc.array(fc.option(failure, { freq: 2 }), { minLength: 200, maxLength: 200 }),
        fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
        async (incidents, answers, jitter) => {
          const bench = createBench({
            channel: { definition: { type: "slack", rate: SLACK_RATE } },
            random: () => jitter.next().value ?? 0,
          });
          bench.channel.script.push(...answers.map((answer) => answer ?? OK));
          const events = await play(bench, incidents);
          await bench.clock.advance(SPAN_MS);

          const { times, delivered } = bench.channel;
          const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
          expect(Math.min(...gaps)).toBeGreaterThanOrEqual(999);

          const fates = await fatesOf(bench);
          expect(fates).toMatchObject({ sum: events, lost: 0, dropped: 0 });
          const counted = delivered.reduce((sum, { more }) => sum + more, 0);
          expect(fates.counted).toBe(counted);

          const firstTold = new Set<string>();
          const over = new Set<string>();
          for (const { state, digest, anomalies } of delivered) {
            for (const { id, state: own } of anomalies) {
              expect(over.has(id), `${id} after its end`).toBe(false);
              if (own === "open") expect(firstTold.has(id), `${id} opened twice`).toBe(false);
              if (!firstTold.has(id) && !digest) expect(state, `${id} told first`).toBe("open");
              firstTold.add(id);
              if (own === "resolved") over.add(id);
            }
          }
          // What was never named was counted in a message, at least once each.
          const unnamed = incidents.length - firstTold.size;
          expect(unnamed).toBeLessThanOrEqual(counted);
          const unresolved = [...firstTold].filter((id) => !over.has(id));
          expect(unresolved.length).toBeLessThanOrEqual(counted);
        },
      ),
      { numRuns: 6 },
    );
  }, 60_000);
});
