// SPDX-License-Identifier: AGPL-3.0-or-later
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Anomaly } from "../../src/detect/detector.ts";
import { anomalyOf } from "../support/anomalies.ts";
import type { ChaosOptions, FromChild, ToChild } from "../support/chaos-child.ts";
import { type Accepted, ChaosStandIn } from "../support/chaos-stand-in.ts";
import { helperProgram } from "../support/helper-program.ts";
import { onCleanup, temporaryFolder } from "../support/outbox-bench.ts";

const INCIDENTS = 1_000;
const BATCH = 20;
/** An incident ends this many batches after it opened. */
const LASTS = 3;
const BATCHES = INCIDENTS / BATCH + LASTS;
const KILLS = 20;
const SPEED = 20;
const SECOND_MS = 1_000 / SPEED;

/** One life of the alert stage. */
class Life {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async begin(options: ChaosOptions): Promise<Life> {
    const script = await helperProgram("test/support/chaos-child.ts");
    // Without what vitest has for its own processes.
    const child = fork(script, [JSON.stringify(options)], { execArgv: [] });
    const life = new Life(child);
    await life.#answer((message) => "ready" in message);
    return life;
  }

  /** Resolves once the batch is on the disk; false if the process ended first. */
  async store(batch: number): Promise<boolean> {
    if (!this.#child.connected) return false;
    this.#send({ batch, events: eventsOf(batch) });
    return this.#answer((message) => "stored" in message && message.stored === batch);
  }

  /** Resolves once every channel has told everything. */
  async idle(): Promise<void> {
    let isIdle = false;
    while (!isIdle) {
      this.#send("idle?");
      const answered = await this.#answer((message) => {
        if ("idle" in message) isIdle = message.idle;
        return "idle" in message;
      });
      if (!answered) throw new Error("the alert stage ended by itself");
    }
  }

  async kill(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }

  #send(message: ToChild): void {
    this.#child.send(message, () => {});
  }

  #answer(isIt: (message: FromChild) => boolean): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (found: boolean): void => {
        this.#child.off("message", look).off("exit", gone);
        resolve(found);
      };
      const look = (message: unknown): void => {
        if (isIt(message as FromChild)) end(true);
      };
      const gone = (): void => end(false);
      this.#child.on("message", look).on("exit", gone);
    });
  }
}

/** What happens in one step: incidents open, and those of some steps ago end. */
function eventsOf(batch: number): Anomaly[] {
  const some = (first: number, state: Anomaly["state"]): Anomaly[] =>
    Array.from({ length: BATCH }, (_, offset) => first + offset)
      .filter((index) => index >= 0 && index < INCIDENTS)
      .map((index) =>
        anomalyOf({
          id: `i${index}`,
          dedup_key: `k${index}`,
          severity: index % 7 === 0 ? "critical" : "warning",
          state,
        }),
      );
  return [...some(batch * BATCH, "open"), ...some((batch - LASTS) * BATCH, "resolved")];
}

/** Sends batches until the process is killed; gives back the first one that is not known to be on the disk. */
async function sendUntilKilled(life: Life, from: number, untilMs: number): Promise<number> {
  let batch = from;
  const killed = delay(untilMs).then(() => life.kill());
  while (batch < BATCHES && (await life.store(batch))) {
    batch++;
    await delay(Math.random() * 60);
  }
  await killed;
  return batch;
}

function tally(messages: readonly Accepted[]): Map<string, { opens: number; ends: number }> {
  const told = new Map<string, { opens: number; ends: number }>();
  for (const { alert } of messages) {
    for (const { id, state } of alert.anomalies) {
      const seen = told.get(id) ?? { opens: 0, ends: 0 };
      told.set(id, seen);
      if (state === "resolved") seen.ends++;
      else {
        expect(seen.ends, `${id} is open after its end`).toBe(0);
        seen.opens++;
      }
      if (seen.opens === 0) expect(alert.state, `${id} ends untold`).toBe("open");
      expect(Math.max(seen.opens, seen.ends), `${id} is told again and again`).toBeLessThan(3);
    }
  }
  return told;
}

/** The least time, in seconds of the fast clock, that any `count` attempts in a row took. */
function fastest(times: readonly number[], count: number): number {
  const spans = times.slice(count).map((time, index) => (time - (times[index] ?? 0)) / SECOND_MS);
  return Math.min(...spans);
}

describe("1,000 incidents while channels fail in turn and the process is killed 20 times", () => {
  it("none is lost, each is told at most once more, open before resolved, no faster than a message a second", async () => {
    const standIn = await ChaosStandIn.start();
    onCleanup(() => standIn.close());
    const options = {
      directory: temporaryFolder(),
      port: standIn.port,
      speed: SPEED,
      epochMs: Date.now(),
    };
    let batch = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const life = await Life.begin(options);
      // Only what was under way at one kill may be told twice, so the next kill waits until that is over.
      await life.idle();
      batch = await sendUntilKilled(life, batch, Math.random() * 160);
    }
    const last = await Life.begin(options);
    for (; batch < BATCHES; batch++) await last.store(batch);
    await last.idle();
    await last.kill();

    const all = tally(standIn.accepted.get("all") ?? []);
    expect(all.size).toBe(INCIDENTS);
    expect([...all.values()].filter(({ ends }) => ends === 0)).toEqual([]);

    const chat = standIn.accepted.get("chat") ?? [];
    const named = tally(chat);
    const counted = chat.reduce((sum, { alert }) => sum + alert.more, 0);
    expect(named.size + counted).toBeGreaterThanOrEqual(INCIDENTS);

    for (const channel of ["chat", "slack"]) {
      const times = standIn.times.get(channel) ?? [];
      expect(times.length).toBeGreaterThan(20);
      expect(fastest(times, 10), `ten messages on ${channel}`).toBeGreaterThan(9.5);
    }
  }, 120_000);
});
