// SPDX-License-Identifier: AGPL-3.0-or-later
// npm run eval [-- --data FOLDER]: measures every detector and writes docs/evaluation.md; the same numbers every time.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { captureSection } from "./captures.ts";
import { nabSection } from "./nab/section.ts";
import type { Section } from "./section.ts";
import { simulationSection } from "./simulations.ts";
import { streamSection } from "./streams.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const INTRODUCTION =
  "How good the detectors are, measured by `npm run eval`, which writes this page. Everything is seeded: the same code and " +
  "data give the same numbers, but for token streams, which are measured in real time. Failures are in the tables too.";

await main();

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { data: { type: "string" } } });
  const data = values.data ?? join(root, "../shared/data");
  const sections: Section[] = [];
  if (existsSync(data)) sections.push(await captureSection(data), nabSection(data));
  else console.error(`no labelled captures in ${data}: simulations only, nothing is written`);
  const folder = mkdtempSync(join(tmpdir(), "nam-eval-"));
  try {
    sections.push(await simulationSection(folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
  const streams = await streamSection();
  if (streams !== null) sections.push(streams);
  const text = page(sections);
  console.log(text);
  const isWhole = existsSync(data) && streams !== null;
  if (isWhole) writeFileSync(join(root, "docs/evaluation.md"), text);
  else console.error("parts are missing: nothing is written");
}

function page(sections: readonly Section[]): string {
  const chapters = sections.flatMap(({ title, parts }) => [`## ${title}`, ...parts]);
  return `${["# Evaluation", INTRODUCTION, ...chapters].join("\n\n")}\n`;
}
