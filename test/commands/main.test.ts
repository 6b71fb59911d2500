// SPDX-License-Identifier: AGPL-3.0-or-later
// The program as a process: what scripts and service managers see of it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { builtProgram } from "../support/built.ts";
import { root } from "../support/project.ts";

const MAIN = builtProgram();

function start(...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function outcome(child: ChildProcess): Promise<unknown[]> {
  return once(child, "exit");
}

describe("the process", () => {
  it.each([
    [0, ["--version"]],
    [2, ["bogus"]],
    [2, ["check-config", "/absent.yml"]],
    [1, ["replay", "/absent.pcap"]],
  ])("ends with %i after nam %j", async (code, args) => {
    expect(await outcome(start(...args))).toEqual([code, null]);
  });

  it("goes on to its end when the reader of its output went away", async () => {
    const child = start("replay", "--events", "-", "test/fixtures/pcap/syn-scan.pcap");
    child.stdout?.destroy();
    expect(await outcome(child)).toEqual([0, null]);
  });

  it("hands over the whole of an output longer than a pipe holds", async () => {
    const child = start("replay", "--metrics", "-", "test/fixtures/pcap/dns.pcap");
    let output = "";
    child.stdout?.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
    await once(child, "close");
    expect(output.length).toBeGreaterThan(65_536);
    expect(output).toContain("# TYPE nam_window_late_total ");
  });
});
