// SPDX-License-Identifier: AGPL-3.0-or-later
// Health check of the container, which has no curl: ends with 0 when the agent answers, else with 1.
//   node healthcheck.mjs [URL]
const url = process.argv[2] ?? "http://127.0.0.1:9977/-/healthy";
try {
  const answer = await fetch(url, { signal: AbortSignal.timeout(4_000) });
  process.exitCode = answer.ok ? 0 : 1;
  process.stdout.write(`${answer.status} ${await answer.text()}`);
} catch (error) {
  process.exitCode = 1;
  process.stdout.write(`${url}: ${error.cause?.message ?? error.message}\n`);
}
