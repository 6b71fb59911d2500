// SPDX-License-Identifier: AGPL-3.0-or-later

/** A way in which malware makes up names, and which half of the evaluation it is in. */
export interface NameGenerator {
  readonly name: string;
  readonly half: "tuning" | "report";
  make(random: () => number): string;
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz";
const CONSONANTS = "bcdfghjklmnpqrstvwxyz";
const VOWELS = "aeiou";
const WORDS =
  `apple bridge candle doctor eleven finger garden hammer island jacket kitchen ladder market needle orange pencil
quarter river silver table under village window yellow bottle castle dinner engine flower ground honest insect`.split(
    /\s+/,
  );

/** Those of the tuning half are what the score was written for; nothing was ever chosen by the others. */
export const GENERATORS: readonly NameGenerator[] = [
  {
    name: "12 to 16 letters by chance",
    half: "tuning",
    make: (random) => letters(random, LETTERS, 12, 16),
  },
  {
    name: "16 hexadecimal digits",
    half: "tuning",
    make: (random) => letters(random, "0123456789abcdef", 16, 16),
  },
  {
    name: "5 to 11 letters by chance",
    half: "report",
    make: (random) => letters(random, LETTERS, 5, 11),
  },
  {
    name: "10 to 20 letters and digits",
    half: "report",
    make: (random) => letters(random, `${LETTERS}0123456789`, 10, 20),
  },
  { name: "8 to 24 letters of a linear congruence", half: "report", make: congruent },
  {
    name: "10 to 14 letters, vowels and consonants in turn",
    half: "report",
    make: (random) =>
      Array.from({ length: between(random, 5, 7) }, () => syllable(random)).join(""),
  },
  {
    name: "two words of a list",
    half: "report",
    make: (random) => `${pick(random, WORDS)}${pick(random, WORDS)}`,
  },
];

/** Letters from the state of a generator that multiplies and adds, as malware of before random libraries does. */
function congruent(random: () => number): string {
  let state = Math.floor(random() * 0x1_0000_0000);
  const next = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 16;
  };
  const length = 8 + (next() % 17);
  return Array.from({ length }, () => LETTERS[next() % 25]).join("");
}

function syllable(random: () => number): string {
  return letters(random, CONSONANTS, 1, 1) + letters(random, VOWELS, 1, 1);
}

function letters(random: () => number, alphabet: string, least: number, most: number): string {
  const length = between(random, least, most);
  return Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join("");
}

function between(random: () => number, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

function pick(random: () => number, list: readonly string[]): string {
  return list[Math.floor(random() * list.length)] ?? "";
}
