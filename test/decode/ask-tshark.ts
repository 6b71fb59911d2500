// SPDX-License-Identifier: AGPL-3.0-or-later
// What the stored answers of the shared data do not say, because tshark was asked with its defaults, was asked again.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { root } from "../support/project.ts";
import { sharedData } from "../support/shared-data.ts";
import type { Counts } from "./decoding.ts";
import type { Reference } from "./reference.ts";

/** What tshark said of shared captures, by capture and options: `npm run answers` asks it everything anew. */
const ANSWERS = join(root, "test/fixtures/tshark-answers.json.gz");
const isRecording = process.env.NAM_ASK_TSHARK === "all";
/** One question of so many is asked again in every run: answers that are no longer tshark's are seen to be so. */
const ASKED_AGAIN = 16;

type Answers = Record<string, readonly string[]>;
let answers: Answers | undefined;

/** One row a frame that `filter` selects: the values of each field, of which a frame may have several. */
export function askFields(
  path: string,
  options: readonly string[],
  filter: string,
  fields: readonly string[],
): string[][][] {
  const named = fields.flatMap((field) => ["-e", field]);
  const lines = answer(path, [...options, "-Y", filter, "-T", "fields", ...named]);
  return lines.map((line) =>
    line.split("\t").map((values) => values.split(",").filter((value) => value !== "")),
  );
}

/** How often each value of a field comes in the frames that `filter` selects. */
export function askCounts(
  path: string,
  options: readonly string[],
  filter: string,
  field: string,
): Counts {
  const counts: Counts = {};
  for (const value of askFields(path, options, filter, [field]).flat(2)) {
    counts[value] = (counts[value] ?? 0) + 1;
  }
  return counts;
}

/** The tree of protocols, as in the stored answers. */
export function askTree(path: string, options: readonly string[]): Reference["io_phs"] {
  const above: string[] = [];
  return answer(path, [...options, "-q", "-z", "io,phs"]).flatMap((line) => {
    const [, indent = "", name = "", frames = ""] = /^( *)(\S+) +frames:(\d+)/.exec(line) ?? [];
    if (name === "") return [];
    above.length = indent.length / 2;
    above.push(name);
    return [{ path: above.join(":"), frames: Number(frames) }];
  });
}

/** tshark's lines, from what is stored where it is. */
function answer(path: string, options: readonly string[]): readonly string[] {
  const shared = sharedData();
  const capture = shared === null ? ".." : relative(shared, path);
  if (capture.startsWith("..")) return ask(path, options);
  const question = [capture, ...options].join(" ");
  answers ??= readAnswers();
  const stored = answers[question];
  if (stored !== undefined && !isRecording && !isAskedAgain(question)) return stored;
  const lines = ask(path, options);
  if (isRecording) store(question, lines);
  else if (JSON.stringify(stored) !== JSON.stringify(lines)) {
    const trouble = stored === undefined ? "has not been asked" : "says something else now about";
    throw new Error(`tshark ${trouble} ${question}: npm run answers`);
  }
  return lines;
}

function isAskedAgain(question: string): boolean {
  return (createHash("sha256").update(question).digest()[0] ?? 0) % ASKED_AGAIN === 0;
}

function readAnswers(): Answers {
  if (isRecording && !existsSync(ANSWERS)) return {};
  return JSON.parse(gunzipSync(readFileSync(ANSWERS)).toString()) as Answers;
}

/** Only where test files run one after the other. */
function store(question: string, lines: readonly string[]): void {
  answers = { ...answers, [question]: lines };
  const sorted = Object.entries(answers).sort(([left], [right]) => (left < right ? -1 : 1));
  writeFileSync(ANSWERS, gzipSync(`${JSON.stringify(Object.fromEntries(sorted), null, 1)}\n`));
}

function ask(path: string, options: readonly string[]): string[] {
  const { status, stdout, stderr } = spawnSync("tshark", ["-r", path, ...options], {
    encoding: "utf8",
  });
  // 2 where the file ends within a packet, as some captures are made to.
  if (status !== 0 && status !== 2) throw new Error(`tshark ${options.join(" ")}: ${stderr}`);
  return stdout.split("\n").filter((line) => line !== "");
}
