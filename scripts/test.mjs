// SPDX-License-Identifier: AGPL-3.0-or-later
// npm test: installs what the tests need, then runs everything. The last line on stdout is the sum of it all.
// With CI=true a skipped test is a failure.
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ensureDebianPackages, isRoot } from "./debian-packages.mjs";
import { checkNode, ensureCap, ensureNpmPackages, root, say } from "./prepare.mjs";

/**
 * Tests make hundreds of pipelines in one process. The tables of the next one shall be fresh from the kernel, which
 * zeroes what is used of them, and not what was freed, all of which the allocator would zero (mallopt(3)).
 */
const MEMORY = { MALLOC_MMAP_THRESHOLD_: String(1024 * 1024) };
/** Suites that need network namespaces and packet sockets, by the end of their files' names. */
const ROOT_SUITES = [".network.test.ts", ".soak.test.ts"];

checkNode();
const gotHeaders = ensureDebianPackages();
const installed = ensureNpmPackages();
if (gotHeaders && !installed) ensureCap();

const total = { passed: 0, failed: 0, skipped: [] };
await Promise.all(["build", "lint", "types"].map(check));
// Unit tests, fuzzing and oracles share the cores, and leave what it needs to the soak, which waits most of the time.
// Tests on real interfaces measure time: they share the cores with nothing else.
const soak = isRoot() ? startTests(["soak"], "pipe") : null;
await finishTests(startTests(["unit", "fuzz", "oracle"], "inherit", soak ? ["nice"] : []));
if (soak) {
  await finishTests(soak);
  await finishTests(startTests(["network"], "inherit"));
} else skipRootTests();
summarise();

/** Runs one npm script, which counts as one test. */
async function check(script) {
  const status = await start(`npm run ${script}`, ["npm", "run", "--silent", script], "pipe");
  if (status === 0) total.passed++;
  else total.failed++;
}

/** Starts vitest, behind another command if one is given. */
function startTests(projects, output, behind = []) {
  const summaryFile = join(root, `.cache/test-summary-${projects[0]}.json`);
  mkdirSync(join(root, ".cache"), { recursive: true });
  rmSync(summaryFile, { force: true });
  const command = [
    ...[...behind, "node_modules/.bin/vitest", "run"],
    ...["--reporter=default", "--reporter=./scripts/test-reporter.mjs"],
    ...projects.flatMap((name) => ["--project", name]),
  ];
  const env = { ...MEMORY, TEST_SUMMARY_FILE: summaryFile };
  return { ended: start(`vitest: ${projects.join(", ")}`, command, output, env), summaryFile };
}

async function finishTests({ ended, summaryFile }) {
  const status = await ended;
  const { passed, failed, skipped } = readSummary(summaryFile);
  total.passed += passed;
  total.failed += status === 0 ? failed : Math.max(failed, 1);
  total.skipped.push(...skipped);
}

/** Resolves to the command's exit status, null if it has none; what is piped is shown when it has ended. */
function start(title, [command, ...args], output, env = {}) {
  const heading = `\n== ${title}`;
  if (output === "inherit") say(heading);
  const stdio = ["inherit", output, output];
  const child = spawn(command, args, { cwd: root, stdio, env: { ...process.env, ...env } });
  const shown = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (text) => shown.push(text));
  return new Promise((resolve) => {
    const end = (status) => {
      if (output === "pipe") say(heading);
      for (const text of shown) process.stderr.write(text);
      resolve(status);
    };
    child.once("error", () => end(null));
    child.once("close", end);
  });
}

function readSummary(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    say("vitest ended without a result.");
    return { passed: 0, failed: 1, skipped: [] };
  }
}

function skipRootTests() {
  const files = readdirSync(join(root, "test"), { recursive: true });
  for (const file of files.filter((name) => ROOT_SUITES.some((end) => name.endsWith(end)))) {
    total.skipped.push(`test/${file}: needs root, for network namespaces and packet sockets`);
  }
}

function summarise() {
  if (total.skipped.length > 0) say(`\nSkipped:\n  ${total.skipped.join("\n  ")}`);
  const skipIsFailure = process.env.CI === "true" && total.skipped.length > 0;
  if (skipIsFailure) say("CI=true: a skipped test is a failure.");
  process.stdout.write(
    `\n${total.passed} passed, ${total.failed} failed, ${total.skipped.length} skipped\n`,
  );
  process.exitCode = total.failed > 0 || skipIsFailure ? 1 : 0;
}
