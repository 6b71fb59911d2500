// SPDX-License-Identifier: AGPL-3.0-or-later
// npm test: installs what the tests need, then runs everything. The last line on stdout is the sum of it all.
// With CI=true a skipped test is a failure.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ensureDebianPackages, isRoot } from "./debian-packages.mjs";
import { checkNode, ensureCap, ensureNpmPackages, root, say } from "./prepare.mjs";

/**
 * Tests make hundreds of pipelines in one process. The tables of the next one shall be fresh from the kernel, which
 * zeroes what is used of them, and not what was freed, all of which the allocator would zero (mallopt(3)).
 */
const MEMORY = { MALLOC_MMAP_THRESHOLD_: String(256 * 1024) };

checkNode();
const gotHeaders = ensureDebianPackages();
const installed = ensureNpmPackages();
if (gotHeaders && !installed) ensureCap();

const total = { passed: 0, failed: 0, skipped: [] };
check("build");
check("lint");
check("types");
// Unit tests, fuzzing and oracles share the cores. Tests on real interfaces measure time: they share them with nothing else.
tests(["unit", "fuzz", "oracle"]);
if (isRoot()) tests(["network"]);
else skipNetworkTests();
summarise();

/** Runs one npm script, which counts as one test. */
function check(script) {
  say(`\n== npm run ${script}`);
  const result = spawnSync("npm", ["run", "--silent", script], { cwd: root, stdio: "inherit" });
  if (result.status === 0) total.passed++;
  else total.failed++;
}

function tests(projects) {
  say(`\n== vitest: ${projects.join(", ")}`);
  const summaryFile = join(root, ".cache/test-summary.json");
  mkdirSync(join(root, ".cache"), { recursive: true });
  rmSync(summaryFile, { force: true });
  const args = ["run", "--reporter=default", "--reporter=./scripts/test-reporter.mjs"];
  const result = spawnSync(
    "node_modules/.bin/vitest",
    [...args, ...projects.flatMap((name) => ["--project", name])],
    {
      cwd: root,
      stdio: "inherit",
      env: { ...process.env, ...MEMORY, TEST_SUMMARY_FILE: summaryFile },
    },
  );
  const { passed, failed, skipped } = readSummary(summaryFile);
  total.passed += passed;
  total.failed += result.status === 0 ? failed : Math.max(failed, 1);
  total.skipped.push(...skipped);
}

function readSummary(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    say("vitest ended without a result.");
    return { passed: 0, failed: 1, skipped: [] };
  }
}

function skipNetworkTests() {
  const files = readdirSync(join(root, "test"), { recursive: true });
  for (const file of files.filter((name) => name.endsWith(".network.test.ts"))) {
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
