// SPDX-License-Identifier: AGPL-3.0-or-later
// `npm start` and `npm test` themselves, in a small stand-in for the project: the real scripts, and programs around
// them that only write down how they were called.
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { root } from "../support/project.ts";

const NOBODY = 65534;
const PROGRAM = `
const [command, behaviour] = process.argv.slice(2);
console.log(command, behaviour);
if (behaviour === "wait") setInterval(() => {}, 1000);
else process.exit(77);
`;
const NPM = `
import { appendFileSync } from "node:fs";
appendFileSync("called", "npm " + process.argv.slice(2).join(" ") + "\\n");
`;

let project: string;

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "nam-commands-"));
  chmodSync(project, 0o755);
  cpSync(join(root, "scripts"), join(project, "scripts"), { recursive: true });
  writeJson("package.json", { engines: { node: ">=20.19" }, type: "module" });
  writeJson("package-lock.json", { packages: { "node_modules/a": { version: "1.0.0" } } });
  writeJson("node_modules/.package-lock.json", {
    packages: { "node_modules/a": { version: "1.0.0" } },
  });
  write("tsconfig.json", "{}");
  write("src/main.ts", "");
  write("dist/main.js", PROGRAM);
  age("src/main.ts", 60);
  age("src", 60);
  age("tsconfig.json", 60);
  write("npm.mjs", NPM);
});

afterEach(() => rmSync(project, { recursive: true, force: true }));

describe("npm start", () => {
  it("runs the program with its flags and ends with its exit code", async () => {
    const result = await script("start.mjs", ["--flag"]);
    expect(result).toMatchObject({ code: 77, stdout: "run --flag\n", called: "" });
  });

  it("hands SIGTERM on and ends by it", async () => {
    const child = start("start.mjs", ["wait"]);
    if (child.stdout) await once(child.stdout, "data");
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([null, "SIGTERM"]);
  });

  it("says so and installs where a package is missing or has another version", async () => {
    writeJson("node_modules/.package-lock.json", {
      packages: { "node_modules/a": { version: "0.9.0" } },
    });
    const result = await script("start.mjs", ["--flag"]);
    expect(result.called).toBe("npm ci --include=dev --no-audit --no-fund\n");
    expect(result.stderr).toContain("Installing the npm packages");
  });

  it("says so and builds where a source is newer than the build", async () => {
    age("src/main.ts", -60);
    const result = await script("start.mjs", ["--flag"]);
    expect(result.called).toBe("npm run --silent build\n");
    expect(result.stderr).toContain("Building");
  });

  it("refuses an old Node with a clear message", async () => {
    writeJson("package.json", { engines: { node: ">=99.1" }, type: "module" });
    const result = await script("start.mjs", []);
    expect(result).toMatchObject({ code: 1, stdout: "" });
    expect(result.stderr).toContain("needs Node 99.1 or newer");
  });
});

describe("npm test", () => {
  beforeEach(() => {
    write("node_modules/cap/build/Release/cap.node", "");
    mkdirSync(join(project, "test/area"), { recursive: true });
    fakeProgram("bin/npm", "exit 0");
    fakeProgram("bin/apt-get", 'echo "apt-get $*" >>called');
    // Every Debian package is there, whatever the machine has.
    fakeProgram("bin/dpkg-query", 'shift 2; for name; do echo "installed $name"; done');
    fakeVitest({ passed: 5, failed: 0, skipped: [] });
  });

  it("ends with the sum of all runs alone on the last line", async () => {
    const result = await script("test.mjs", []);
    const runs = process.getuid?.() === 0 ? 3 : 1;
    expect(result.stdout.split("\n").at(-2)).toBe(`${3 + 5 * runs} passed, 0 failed, 0 skipped`);
    expect(result).toMatchObject({ code: 0, called: "" });
  });

  it("fails where a test failed", async () => {
    fakeVitest({ passed: 1, failed: 1, skipped: [] });
    expect((await script("test.mjs", [])).code).toBe(1);
  });

  it("prints the reason of a skipped test, and fails for it under CI=true only", async () => {
    fakeVitest({ passed: 1, failed: 0, skipped: ["test/x.test.ts: y: no such captures"] });
    const outside = await script("test.mjs", []);
    expect(outside.code).toBe(0);
    expect(outside.stderr).toContain("y: no such captures");
    expect((await script("test.mjs", [], { CI: "true" })).code).toBe(1);
  });

  it("leaves apt alone when not root, and says what is missing and what is skipped", async () => {
    fakeProgram("bin/dpkg-query", "exit 1");
    write("test/area/ring.network.test.ts", "");
    write("test/area/long.soak.test.ts", "");
    const result = await script("test.mjs", [], {}, NOBODY);
    expect(result.called).not.toContain("apt-get");
    expect(result.stderr).toContain("sudo apt-get install --no-install-recommends iproute2");
    expect(result.stderr).toContain("test/area/ring.network.test.ts: needs root");
    expect(result.stderr).toContain("test/area/long.soak.test.ts: needs root");
    expect(result.stdout).toMatch(/ passed, 0 failed, 2 skipped\n$/);
  });
});

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** How npm and apt-get were called. */
  readonly called: string;
}

async function script(name: string, args: string[], env = {}, uid?: number): Promise<Result> {
  const child = start(name, args, env, uid);
  const output = { stdout: "", stderr: "" };
  child.stdout?.on("data", (data) => {
    output.stdout += data;
  });
  child.stderr?.on("data", (data) => {
    output.stderr += data;
  });
  const [code] = await once(child, "close");
  const log = join(project, "called");
  return { code, ...output, called: existsSync(log) ? readFileSync(log, "utf8") : "" };
}

function start(name: string, args: string[], env = {}, uid?: number): ChildProcess {
  const options: SpawnOptions = {
    cwd: project,
    env: {
      ...process.env,
      CI: "",
      npm_execpath: join(project, "npm.mjs"),
      PATH: `${join(project, "bin")}:${process.env.PATH}`,
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  };
  // Only root can become somebody else; anybody else is not root already.
  if (uid !== undefined && process.getuid?.() === 0) {
    chmodSync(project, 0o777);
    chmodSync(join(project, "node_modules"), 0o777);
    options.uid = uid;
  }
  return spawn(process.execPath, [join(project, "scripts", name), ...args], options);
}

function fakeVitest(summary: object): void {
  fakeProgram(
    "node_modules/.bin/vitest",
    `echo '${JSON.stringify(summary)}' >"$TEST_SUMMARY_FILE"`,
  );
}

function fakeProgram(path: string, body: string): void {
  write(path, `#!/bin/sh\n${body}\n`);
  chmodSync(join(project, path), 0o755);
}

function writeJson(path: string, value: unknown): void {
  write(path, JSON.stringify(value));
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(project, path)), { recursive: true });
  writeFileSync(join(project, path), text);
}

/** Makes a file as old as that. */
function age(path: string, seconds: number): void {
  const time = Date.now() / 1000 - seconds;
  utimesSync(join(project, path), time, time);
}
