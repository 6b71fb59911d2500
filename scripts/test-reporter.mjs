// SPDX-License-Identifier: AGPL-3.0-or-later
import { writeFileSync } from "node:fs";

/** Writes what `npm test` sums up over several runs: counts, and the name and reason of every skipped test. */
export default class TestReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const summary = { passed: 0, failed: unhandledErrors.length, skipped: [] };
    for (const module of modules) {
      // A file that could not be loaded has no tests to fail.
      summary.failed += module.errors().length;
      for (const suite of module.children.allSuites()) summary.failed += suite.errors().length;
      for (const test of module.children.allTests()) count(summary, module, test);
    }
    writeFileSync(process.env.TEST_SUMMARY_FILE, JSON.stringify(summary));
  }
}

function count(summary, module, test) {
  const result = test.result();
  if (result.state === "passed") summary.passed++;
  else if (result.state === "failed") summary.failed++;
  else {
    const unsaid = module.state() === "failed" ? "a hook before it failed" : "no reason given";
    const reason = result.note ?? unsaid;
    summary.skipped.push(`${module.relativeModuleId}: ${test.fullName}: ${reason}`);
  }
}
