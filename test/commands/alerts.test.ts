// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it, vi } from "vitest";
import { runProgram } from "../../src/commands/program.ts";
import type { Bench } from "../support/alert-bench.ts";
import { anomalyOf } from "../support/anomalies.ts";
import { Lives } from "../support/outbox-bench.ts";

const ID = anomalyOf().id;

async function nam(lives: Lives, ...args: string[]) {
  let stdout = "";
  let stderr = "";
  const code = await runProgram([...args, "--storage.path", lives.directory], {
    env: {},
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
  });
  return { code, stdout, stderr };
}

/** An agent whose channel has refused one message for good. */
async function refused(lives: Lives): Promise<Bench> {
  const bench = await lives.begin();
  bench.channel.script.push({ outcome: "rejected", reason: "rejected", detail: "400" });
  bench.accept(anomalyOf());
  await vi.waitFor(() => expect(bench.channel.attempts).toHaveLength(1));
  await bench.router.safe();
  return bench;
}

/** Lets the agent look for what other programs ask, until the command is done. */
async function whileAgentLooks<Result>(lives: Lives, command: Promise<Result>): Promise<Result> {
  let isDone = false;
  void command.finally(() => {
    isDone = true;
  });
  await vi.waitFor(
    async () => {
      await lives.clock.advance(1_000);
      expect(isDone).toBe(true);
    },
    { timeout: 10_000 },
  );
  return command;
}

async function end(lives: Lives, bench: Bench): Promise<void> {
  const stopped = bench.router.stop(0);
  await lives.clock.advance(1);
  await stopped;
}

describe("nam alerts", () => {
  it("lists what was given up and what waits", async () => {
    const lives = new Lives();
    const bench = await refused(lives);
    bench.accept(anomalyOf({ id: "w", dedup_key: "w", severity: "warning" }));
    await bench.router.safe();
    const { code, stdout } = await nam(lives, "alerts", "list");
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`dead: rejected +chat +${ID.replace("|", "\\|")}`));
    expect(stdout).toMatch(/waiting +chat +w .* warning +port_scan 10\.0\.0\.5/);
    const json = JSON.parse((await nam(lives, "alerts", "list", "--json")).stdout) as unknown[];
    expect(json).toHaveLength(2);
    expect((await nam(lives, "alerts", "list", "--channel", "other")).stdout).toContain("Nothing");
  });

  it("has a running agent tell dead letters again", async () => {
    const lives = new Lives();
    const bench = await refused(lives);
    const { stdout } = await whileAgentLooks(lives, nam(lives, "alerts", "retry"));
    expect(stdout).toBe("1 to be told again, by the running agent.\n");
    await vi.waitFor(() => expect(bench.channel.told).toEqual([`${ID} open`]));
    await bench.router.safe();
    expect(await lives.onDisk("dead")).toEqual([]);
  });

  it("does it on the disk where no agent runs, and the next one tells them", async () => {
    const lives = new Lives();
    await end(lives, await refused(lives));
    const { stdout } = await nam(lives, "alerts", "retry", ID);
    expect(stdout).toBe("1 to be told again, for the next run of the agent.\n");
    const next = await lives.begin();
    await lives.clock.advance(1_000);
    await vi.waitFor(() => expect(next.channel.told).toEqual([`${ID} open`]));
  });

  it("drops dead letters, and what waits where that is asked for", async () => {
    const lives = new Lives();
    const bench = await refused(lives);
    bench.channel.otherwise = () => ({ outcome: "retry", reason: "network", detail: "down" });
    bench.accept(anomalyOf({ id: "w", dedup_key: "w" }));
    await bench.router.safe();
    expect((await nam(lives, "alerts", "purge", "nobody")).stdout).toContain(
      "Nothing of that kind",
    );
    await whileAgentLooks(lives, nam(lives, "alerts", "purge"));
    await bench.router.safe();
    expect(await lives.onDisk("dead")).toEqual([]);
    await whileAgentLooks(lives, nam(lives, "alerts", "purge", "--waiting", "--channel", "chat"));
    await vi.waitFor(async () => expect(await lives.onDisk("waiting")).toEqual([]));
  });

  it("says what to do where there is no outbox", async () => {
    const { code, stderr } = await nam(new Lives(), "alerts", "list");
    expect(code).toBe(1);
    expect(stderr).toContain("--storage.path");
  });
});

describe("nam silences", () => {
  it("adds one that a running agent obeys, lists it and removes it", async () => {
    const lives = new Lives();
    const bench = await lives.begin();
    await bench.router.safe();
    const added = await nam(
      lives,
      "silences",
      "add",
      "--reason",
      "a test",
      "--author",
      "me",
      "--for",
      "8h",
      "source=10.0.0.*",
    );
    expect(added.stdout).toMatch(/^Silence [0-9a-f]{8} holds until /);
    await vi.waitFor(async () => {
      await lives.clock.advance(1_000);
      expect(bench.router.silences.list()).toHaveLength(1);
    });
    bench.accept(anomalyOf());
    expect(await bench.metric("nam_notification_events_total", { fate: "silenced" })).toBe(1);

    const listed = await nam(lives, "silences", "list");
    expect(listed.stdout).toMatch(/source=10\.0\.0\.\* +a test/);
    const id = /^Silence (\S+)/.exec(added.stdout)?.[1] ?? "";
    expect((await nam(lives, "silences", "remove", id)).code).toBe(0);
    await vi.waitFor(async () => {
      await lives.clock.advance(1_000);
      expect(bench.router.silences.list()).toEqual([]);
    });
    expect((await nam(lives, "silences", "remove", id)).code).toBe(2);
  });

  it.each([
    [["source"], "is not like source=10.0.0.5"],
    [["sorce=a"], 'did you mean "source"'],
  ])("refuses %j", async (fields, words) => {
    const lives = new Lives();
    await end(lives, await lives.begin());
    const { code, stderr } = await nam(
      lives,
      ...["silences", "add", "--reason", "r", "--for", "1h", ...fields],
    );
    expect([code, stderr]).toEqual([2, expect.stringContaining(words)]);
  });
});
