// SPDX-License-Identifier: AGPL-3.0-or-later
// npm test: installs what the tests need, then runs everything. The last line on stdout is the sum of it all.
// With CI=true a skipped test is a failure.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ensureDebianPackages, isRoot } from "./debian-packages.mjs";
import { checkNode, ensureCap, ensureNpmPackages, root, say } from "./prepare.mjs";

checkNode();
const gotHeaders = ensureDebianPackages();
const installed = ensureNpmPackages();
if (gotHeaders && !installed) ensureCap();

const total = { passed: 0, failed: 0, skipped: [] };
/** Of suites that ran beside others. */
const told = [];
check("build");
check("lint");
check("types");
if (isRoot()) {
  await tests(["unit", "fuzz"]);
  // Tests on real interfaces measure time, and wait for most of it. What they leave over of the cores is enough for the
  // oracles, which wait for nothing: at the lowest priority, and told when the others are done.
  await Promise.all([tests(["network"]), tests(["oracle"], { isBeside: true })]);
} else {
  await tests(["unit", "fuzz", "oracle"]);
  skipNetworkTests();
}
for (const text of told) say(text);
summarise();

/** Runs one npm script, which counts as one test. */
function check(script) {
  say(`\n== npm run ${script}`);
  const result = spawnSync("npm", ["run", "--silent", script], { cwd: root, stdio: "inherit" });
  if (result.status === 0) total.passed++;
  else total.failed++;
}

/** Runs suites; `isBeside` of others, at the lowest priority, whose output stands alone behind theirs. */
async function tests(projects, { isBeside = false } = {}) {
  const title = `\n== vitest: ${projects.join(", ")}`;
  if (!isBeside) say(title);
  const summaryFile = join(root, `.cache/test-summary-${projects.join("-")}.json`);
  mkdirSync(join(root, ".cache"), { recursive: true });
  rmSync(summaryFile, { force: true });
  const command = [
    "node_modules/.bin/vitest",
    "run",
    ...projects.map((name) => `--project=${name}`),
  ];
  const reporters = ["--reporter=default", "--reporter=./scripts/test-reporter.mjs"];
  const [program, ...args] = [...(isBeside ? ["nice", "-n", "19"] : []), ...command, ...reporters];
  const child = spawn(program, args, {
    cwd: root,
    stdio: isBeside ? ["ignore", "pipe", "pipe"] : "inherit",
    env: { ...process.env, TEST_SUMMARY_FILE: summaryFile },
  });
  const output = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (data) => output.push(data));
  const [status] = await once(child, "close");
  const { passed, failed, skipped } = readSummary(summaryFile);
  total.passed += passed;
  total.failed += status === 0 ? failed : Math.max(failed, 1);
  total.skipped.push(...skipped);
  if (isBeside) told.push(title, Buffer.concat(output).toString());
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
