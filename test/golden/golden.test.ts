// SPDX-License-Identifier: AGPL-3.0-or-later
// Every capture of test/fixtures/pcap gives its report to the byte. After a change that is meant, run
//   UPDATE_GOLDEN=1 npx vitest run test/golden
// and read the difference before it is committed.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Replay } from "../../src/replay.ts";
import { createLog } from "../../src/util/log.ts";
import { projectFiles, root } from "../support/project.ts";

const CAPTURES = "test/fixtures/pcap";
const GOLDENS = "test/fixtures/golden";

const names = projectFiles(CAPTURES).map((path) => path.slice(CAPTURES.length + 1));

describe("golden reports", () => {
  it.each(names)("%s", async (name) => {
    const report = await reportOf(name);
    const golden = join(root, GOLDENS, `${name}.json`);
    if (process.env.UPDATE_GOLDEN) write(golden, report);
    expect(existsSync(golden), `${golden} exists`).toBe(true);
    expect(report).toBe(readFileSync(golden, "utf8"));
  });

  it("are the same in every run", async () => {
    const name = "syn-flood.pcap.gz";
    expect(await reportOf(name)).toBe(await reportOf(name));
  });

  it("belong to a capture that exists", () => {
    const captures = projectFiles(GOLDENS).map((path) =>
      path.slice(GOLDENS.length + 1, -".json".length),
    );
    expect(captures).toEqual(names);
  });
});

/** The report as text, without what does not depend on the capture: the version, and where the file lies. */
async function reportOf(name: string): Promise<string> {
  const path = join(root, CAPTURES, name);
  const replay = new Replay({
    detect: {},
    home: ["10.0.0.0/8", "fd00::/8"],
    agent: "golden",
    flowCapacity: 8192,
    top: 0,
    speed: null,
    log: createLog({ level: "silent", format: "json" }),
  });
  const { report } = await replay.run([path]);
  return `${JSON.stringify({ ...report, version: "" }, null, 2).replaceAll(path, name)}\n`;
}

function write(path: string, text: string): void {
  mkdirSync(join(root, GOLDENS), { recursive: true });
  writeFileSync(path, text);
}
