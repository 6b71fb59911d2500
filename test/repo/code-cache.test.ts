// SPDX-License-Identifier: AGPL-3.0-or-later
import { isAscii } from "node:buffer";
import { execFileSync } from "node:child_process";
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { builtProgram } from "../support/built.ts";
import { root } from "../support/project.ts";

const ON_THE_WAY_OF_A_PACKET = ["main", "program", "core", "replay-packets", "packets", "zod"];

const built = dirname(builtProgram());
let project: string;
let dist: string;

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "nam-code-cache-"));
  dist = join(project, "dist");
  symlinkSync(join(root, "node_modules"), join(project, "node_modules"));
  symlinkSync(join(root, "package.json"), join(project, "package.json"));
});

beforeEach(() => cpSync(built, dist, { recursive: true }));

afterAll(() => rmSync(project, { recursive: true, force: true }));

describe("the code cache of the build", () => {
  it("is used for every file that a replay loads", () => {
    const states = replayed();
    expect([...states.values()].every((state) => state === "used")).toBe(true);
    for (const part of ON_THE_WAY_OF_A_PACKET) expect([...states.keys()]).toContain(file(part));
  });

  it("is refused where it is damaged", () => {
    change(`${file("packets")}.cache`, (bytes) => {
      for (let at = 100; at < bytes.length; at += 1000) bytes[at] = ~(bytes[at] ?? 0) & 0xff;
      return bytes;
    });
    expect(replayed().get(file("packets"))).toBe("refused");
  });

  it("is refused where it was cut off", () => {
    change(`${file("core")}.cache`, (bytes) => bytes.subarray(0, 3));
    change(`${file("packets")}.cache`, (bytes) => bytes.subarray(0, bytes.length / 2));
    const states = replayed();
    expect([states.get(file("core")), states.get(file("packets"))]).toEqual(["refused", "refused"]);
  });

  it("is refused for a file that was changed since, to another of the same length", () => {
    change(file("replay"), (bytes) =>
      Buffer.from(bytes.toString().replace("no anomaly found", "what was changed")),
    );
    const { output, states } = replay();
    expect(states.get(file("replay"))).toBe("refused");
    expect(output).toContain("what was changed");
  });

  it("is of files in ASCII, which the engine keeps in one byte a character", () => {
    const others = readdirSync(built)
      .filter((name) => name.endsWith(".js") && name !== "chunk-loader.js")
      .filter((name) => !isAscii(readFileSync(join(built, name))));
    expect(others).toEqual([]);
  });

  it("is of files that import nothing: a script that runs from a cache cannot", () => {
    const importing = readdirSync(built)
      .filter((name) => name.endsWith(".js"))
      .filter((name) => /^[^*/\n]*\bimport\(/m.test(readFileSync(join(built, name), "utf8")));
    expect(importing).toEqual([]);
  });

  it("may be missing", () => {
    rmSync(join(dist, `${file("packets")}.cache`));
    expect(replayed().get(file("packets"))).toBe("missing");
  });
});

/** The file of the build that begins with `part`. */
function file(part: string): string {
  const pattern = new RegExp(`^${part}-[\\w-]{8}\\.js$`);
  return readdirSync(built).find((name) => pattern.test(name)) ?? `no ${part}`;
}

function change(name: string, to: (bytes: Buffer) => Buffer): void {
  const path = join(dist, name);
  writeFileSync(path, to(readFileSync(path)));
}

function replayed(): ReadonlyMap<string, string> {
  return replay().states;
}

/** Replays in one thread, as from standard input, and tells what became of each file's cache. */
function replay(): { output: string; states: ReadonlyMap<string, string> } {
  const told = join(project, "states.json");
  const script = `
    const { load, cacheStates } = require(${JSON.stringify(join(dist, "chunk-loader.js"))});
    const tell = () => require("fs").writeFileSync(${JSON.stringify(told)}, JSON.stringify([...cacheStates()]));
    process.on("exit", tell);
    load("${file("main")}");`;
  const output = execFileSync(process.execPath, ["-e", script, "nam", "replay", "-"], {
    input: readFileSync(join(root, "test/fixtures/pcap/dns.pcap")),
    encoding: "utf8",
    stdio: ["pipe", "pipe", "pipe"],
  });
  return { output, states: new Map(JSON.parse(readFileSync(told, "utf8"))) };
}
