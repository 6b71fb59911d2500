// SPDX-License-Identifier: AGPL-3.0-or-later
// `nam replay` as it is built, with its packets in a thread of their own, against the same replay in one thread.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { getPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { pcap } from "../../scripts/fixtures/capture-file.ts";
import { runProgram } from "../../src/commands/program.ts";
import { ReplayThread } from "../../src/replay-thread.ts";
import { tcpFrame } from "../decode/frames.ts";
import { builtProgram } from "../support/built.ts";
import { root } from "../support/project.ts";

const MAIN = builtProgram();
const FIXTURES = join(root, "test/fixtures/pcap");
/** More seconds, and windows with them, than may wait for detection at once. */
const SECONDS = 500;
/** As many take far longer to judge than anyone here waits. */
const MANY_SECONDS = 50_000;

let folder: string;
let long: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nam-thread-"));
  long = join(folder, "long.pcap");
  writeFileSync(long, oneFrameASecond(SECONDS));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function oneFrameASecond(seconds: number): Buffer {
  const frames = Array.from({ length: seconds }, (_, second) => ({
    timeUs: 1.7e15 + second * 1e6,
    data: Buffer.from(tcpFrame({})),
  }));
  return pcap(frames);
}

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [MAIN, "replay", ...args], { stdio: ["ignore", "pipe", "pipe"] });
}

async function inThread(...args: string[]): Promise<Outcome> {
  const child = start(args);
  if (!child.stdout || !child.stderr) throw new Error("no pipes");
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit"),
  ]);
  return { code, stdout, stderr };
}

async function inOne(...args: string[]): Promise<Outcome> {
  let stdout = "";
  let stderr = "";
  const io = {
    env: {},
    stdout: { write: (part: string) => (stdout += part) },
    stderr: { write: (part: string) => (stderr += part) },
  };
  const code = await runProgram(["replay", ...args], io);
  return { code, stdout, stderr };
}

describe("a replay with its packets in a thread", () => {
  it.each([
    ["an attack", ["syn-scan.pcap"]],
    ["handshakes", ["tls.pcapng", "quic.pcap"]],
    ["several files", ["dns.pcap", "arp.pcap", "host-sweep.pcap"]],
  ])("reports of %s what one thread reports", async (_, names) => {
    const paths = names.map((name) => join(FIXTURES, name));
    const threaded = await inThread("--report", "-", ...paths);
    expect(threaded).toEqual(await inOne("--report", "-", ...paths));
    expect(threaded.code).toBe(0);
  });

  it("reports a damaged and a missing file, and goes on", async () => {
    const damaged = join(folder, "damaged.pcap");
    writeFileSync(damaged, pcap([]).fill(0xff, 8, 12).subarray(0, 20));
    const paths = [damaged, join(folder, "missing.pcap"), join(FIXTURES, "arp.pcap")];
    const threaded = await inThread("--report", "-", ...paths);
    expect(threaded).toEqual(await inOne("--report", "-", ...paths));
    expect(threaded.code).toBe(1);
    expect(JSON.parse(threaded.stdout).files[2].packets).toBeGreaterThan(0);
  });

  it("loses no window where detection is slower than the packets", async () => {
    const { stdout } = await inThread("--report", "-", long);
    const { files, loss } = JSON.parse(stdout);
    expect(files[0].packets).toBe(SECONDS);
    expect(loss.processed).toBe(SECONDS);
  });

  it("ends at SIGINT with what was read until then", async () => {
    const child = start(["--speed", "1", "--events", "-", join(FIXTURES, "syn-scan.pcap"), long]);
    if (!child.stdout || !child.stderr) throw new Error("no pipes");
    const summary = text(child.stderr);
    // The first event.
    await once(child.stdout, "data");
    child.stdout.resume();
    child.kill("SIGINT");
    expect(await once(child, "exit")).toEqual([0, null]);
    expect(await summary).toMatch(/syn-scan\.pcap: pcap, \d+ packets/);
    expect(await summary).not.toContain("long.pcap");
  });
});

describe("a wrong configuration", () => {
  const capture = join(FIXTURES, "arp.pcap");

  it.each([
    ["where reading packets does not depend on it", "web:\n  listen_address: [nowhere]\n", 1],
    ["where it does", "flow:\n  capacity: lots\nweb:\n  listen_address: [nowhere]\n", 2],
  ])("is refused with all that is wrong in it %s", async (_, text, problems) => {
    const file = join(folder, "wrong.yml");
    writeFileSync(file, text);
    const args = ["--config.file", file, "--report", "-", capture];
    const threaded = await inThread(...args);
    expect(threaded).toEqual(await inOne(...args));
    expect([threaded.code, threaded.stdout]).toEqual([2, ""]);
    expect(threaded.stderr.split(`${file}:`)).toHaveLength(1 + problems);
  });
});

describe.runIf(process.platform === "linux")("the thread that reads packets", () => {
  it("goes before detection and before the engine's threads where processors are scarce", async () => {
    const longer = join(folder, "longer.pcap");
    writeFileSync(longer, oneFrameASecond(MANY_SECONDS));
    const child = start([longer]);
    try {
      await vi.waitFor(
        () => expect(getPriority(child.pid)).toBeGreaterThan(getPriority(process.pid)),
        {
          timeout: 10_000,
        },
      );
      const threads = readdirSync(`/proc/${child.pid}/task`).map(Number);
      const first = threads.filter((thread) => getPriority(thread) === getPriority(process.pid));
      expect(first).toHaveLength(1);
    } finally {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  });
});

describe("a thread that breaks", () => {
  it("says so, whether anyone followed it by then or not", async () => {
    // Beside the sources there is no built worker.
    const late = new ReplayThread();
    const followed = new ReplayThread();
    await expect(followed.follow(() => {})).rejects.toMatchObject({ code: "INTERNAL" });
    // It started before the other and broke before it.
    await expect(late.follow(() => {})).rejects.toThrow("the thread that reads packets broke");
  });
});
