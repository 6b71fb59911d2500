// SPDX-License-Identifier: AGPL-3.0-or-later
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import type { Row } from "./bench.ts";

const README = fileURLToPath(new URL("../README.md", import.meta.url));
const BEGIN =
  "<!-- bench: npm run bench -- replay live memory --readme rewrites everything up to the end mark -->";
const END = "<!-- bench: end -->";

/** The rows as a Markdown table. */
export function table(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.what,
    row.measured,
    row.against,
    row.ratio === null ? "" : `${row.ratio.toFixed(2)} ×`,
    row.goal,
    row.met ? "yes" : "no",
  ]);
  const lines = [
    ["what", "measured", "against", "ratio", "goal", "met"],
    Array(6).fill("---"),
    ...cells,
  ];
  return lines.map((line) => `| ${line.join(" | ")} |`).join("\n");
}

/** Puts the table between the marks of README.md. */
export function writeReadme(rows: readonly Row[]): void {
  const text = readFileSync(README, "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error("README.md has no bench marks");
  const content = `${BEGIN}\n\n${machine()}\n\n${table(rows)}\n\n`;
  writeFileSync(README, text.slice(0, begin) + content + text.slice(end));
}

function machine(): string {
  const [first, ...others] = cpus();
  const date = new Date().toISOString().slice(0, 10);
  return `Measured ${date} on ${others.length + 1} cores (${first?.model.trim()}), Node ${process.versions.node}.`;
}
