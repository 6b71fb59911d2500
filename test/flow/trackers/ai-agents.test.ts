// SPDX-License-Identifier: AGPL-3.0-or-later
// Loops of agents, from the uploads of their calls.
import { describe, expect, it } from "vitest";
import { CallBench } from "../../support/ai-calls.ts";
import { type TalkOptions, TlsTalk } from "../../support/encrypted-talk.ts";
import { TalkClock } from "../../support/talk.ts";

const OPENAI = { serverName: "api.openai.com" };

/** Calls with these uploads, by turns over as many connections; returns what was told of clients. */
function called(
  uploads: readonly number[],
  { connections = 1, pauseMs = 2000, target = OPENAI as TalkOptions, events = 0 } = {},
) {
  const bench = new CallBench();
  const clock = new TalkClock();
  const talks = Array.from(
    { length: connections },
    (_, at) => new TlsTalk(bench, { ...target, clientPort: 50_000 + at }, clock),
  );
  for (const [at, up] of uploads.entries()) {
    const talk = talks[at % connections];
    if (events > 0) talk?.stream({ up, events });
    else {
      talk?.up(up);
      talk?.wait(300);
      talk?.down(2000);
    }
    talk?.wait(pauseMs);
  }
  for (const talk of talks) talk.close();
  bench.finish();
  return bench.windows.flatMap(({ ai_agents }) => ai_agents);
}

const RISING = [1100, 1600, 1900, 2400, 2900, 3500, 4100, 4700];
const hasLoop = (rows: ReturnType<typeof called>): boolean =>
  rows.some((row) => row.hasLoop && row.isActive);

describe("an agent's loop", () => {
  it("is seen in uploads that grow, over one connection and over two", () => {
    expect(hasLoop(called(RISING))).toBe(true);
    expect(hasLoop(called(RISING, { connections: 2 }))).toBe(true);
  });

  it("is seen at a server that nobody listed, if it streams", () => {
    const target = { serverName: "llm.example.net" };
    expect(hasLoop(called(RISING, { target, events: 70 }))).toBe(true);
    expect(called(RISING, { target })).toEqual([]);
  });

  it.each<[string, number[], object]>([
    [
      "uploads of one size, as a server that remembers gets",
      [900, 900, 900, 900, 900, 900, 900],
      {},
    ],
    ["uploads that grow by little", [3000, 3010, 3020, 3030, 3040, 3050, 3060], {}],
    ["uploads that go up and down", [900, 4000, 1200, 3000, 800, 5000, 1000], {}],
    ["five calls", RISING.slice(0, 5), {}],
    ["a person's pace", RISING, { pauseMs: 90_000 }],
  ])("is not %s", (_, uploads, options) => {
    expect(hasLoop(called(uploads, options))).toBe(false);
  });
});

describe("an agent at work", () => {
  it("is three calls of a program within ten minutes, and tells when replies ended", () => {
    const rows = called([900, 900, 900], { pauseMs: 5000 });
    expect(rows.some(({ isActive }) => isActive)).toBe(true);
    const replied = rows.filter(({ repliedMs }) => repliedMs > 0);
    expect(replied.map(({ calls }) => calls)).toEqual([1, 1, 1]);
    expect(replied[0]?.repliedMs).toBeCloseTo(311, -1);
  });

  it("is not two calls, nor a person at a chat application", () => {
    expect(called([900, 900]).some(({ isActive }) => isActive)).toBe(false);
    const chat = called([900, 800, 900, 800], { target: { serverName: "chatgpt.com" } });
    expect(chat.some(({ isActive }) => isActive)).toBe(false);
  });
});
