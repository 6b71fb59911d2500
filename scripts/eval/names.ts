// SPDX-License-Identifier: AGPL-3.0-or-later
// How well the letters of a name tell what a person chose from what a program computed.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { oddness } from "../../src/detect/odd-names.ts";
import { randomOf } from "../../test/support/detection-bench.ts";
import { table } from "./section.ts";

const NAMES = 4000;
/** Names that do not exist, as one client asks for them in five minutes. */
const TOGETHER = 10;
const FALSE_RATES = [0.001, 0.01, 0.05];
const LETTERS = "abcdefghijklmnopqrstuvwxyz";

type Random = () => number;

/** Ways in which malware is known to compute names; the words are of the kind that the last one uses. */
const FAMILIES: Readonly<Record<string, (random: Random) => string>> = {
  "letters, 8 to 12": (random) => text(LETTERS, 8 + pick(5, random), random),
  "letters, 12 to 24": (random) => text(LETTERS, 12 + pick(13, random), random),
  "letters and digits, 10 to 20": (random) =>
    text(`${LETTERS}0123456789`, 10 + pick(11, random), random),
  "hexadecimal, 12 to 32": (random) => text("0123456789abcdef", 12 + pick(21, random), random),
  "syllables, 8 to 12": (random) => syllables(4 + pick(3, random), random),
  "two words": (random) => word(random) + word(random),
};

/** Recall by family at false-positive rates of single names, and of the mean of ten names. */
export function nameTable(): string {
  const random = randomOf(71);
  const chosen = chosenNames().map(oddness);
  const rows = Object.entries(FAMILIES).map(([name, make]) => {
    const made = Array.from({ length: NAMES }, () => oddness(make(random)));
    const single = FALSE_RATES.map((rate) => recall(made, chosen, rate));
    const together = recall(means(made, random), means(chosen, random), 0.001);
    return [name, ...single, together];
  });
  const rates = FALSE_RATES.map((rate) => `One name, false at ${100 * rate} %`);
  return table(["Computed of", ...rates, "Mean of ten, false at 0.1 %"], rows);
}

/**
 * Labels that people chose and registered: the rules of the public suffix list as tldts ships them, less those of one
 * or two letters. They were not used to make the scores.
 */
export function chosenNames(): string[] {
  const path = createRequire(import.meta.url).resolve("tldts");
  const source = readFileSync(path, "utf8");
  const names = source.match(/(?<=[,{"])[a-z][a-z0-9-]{4,}(?="?:\[)/g) ?? [];
  return [...new Set(names)];
}

function recall(made: readonly number[], chosen: readonly number[], falseRate: number): string {
  const sorted = [...chosen].sort((a, b) => b - a);
  const limit = sorted[Math.floor(falseRate * sorted.length)] ?? 0;
  return `${Math.round((100 * made.filter((score) => score > limit).length) / made.length)} %`;
}

function means(scores: readonly number[], random: Random): number[] {
  return Array.from({ length: NAMES }, () => {
    let sum = 0;
    for (let at = 0; at < TOGETHER; at++) sum += scores[pick(scores.length, random)] ?? 0;
    return sum / TOGETHER;
  });
}

function pick(below: number, random: Random): number {
  return Math.floor(below * random());
}

function text(alphabet: string, length: number, random: Random): string {
  return Array.from({ length }, () => alphabet[pick(alphabet.length, random)]).join("");
}

function syllables(count: number, random: Random): string {
  return Array.from(
    { length: count },
    () => text("bcdfghjklmnprstvwxz", 1, random) + text("aeiouy", 1, random),
  ).join("");
}

const WORDS =
  "able above across after again along among answer apple around autumn before begin behind below between bottle branch bread bridge bright brother building butter captain carry center chance change children circle clean clear climb close cloud cold color common corner country cross crowd current dark decide degree desert doctor double draw drive during early earth east edge effort electric enough evening every expect family famous farther father figure finger finish floor flower follow forest forward friend front garden gather gentle glass ground happen heavy history hundred husband imagine increase indeed inside island journey kitchen language laugh leader letter listen little machine material meeting middle minute moment morning mother mountain music nature nothing number ocean office orange outside paper people picture plain planet please point position possible power present pretty problem produce promise public quarter question quiet reason record remember repeat report result return river school science season second service several shoulder silver simple single sister smoke smooth soldier special spring square station straight strange stream street strong student subject suggest summer surface surprise system thought through toward travel trouble valley village visit water weather welcome window winter wonder yellow yesterday".split(
    " ",
  );

function word(random: Random): string {
  return WORDS[pick(WORDS.length, random)] ?? "word";
}
