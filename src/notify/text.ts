// SPDX-License-Identifier: AGPL-3.0-or-later

/** Names read off the wire are cut to this: long enough to know them, too short to flood a message. */
const NAME_MAX = 128;

/**
 * One line of text that may hold names chosen by an attacker, made safe to show: control, format (bidirectional,
 * zero-width) and private characters and unpaired surrogates go, stacked accents are thinned, white space becomes one
 * space, every unbroken run is cut to 128 characters and the whole to `max` (both in UTF-16 units).
 */
export function clean(text: string, max = NAME_MAX): string {
  // What lies far beyond every limit is not worth a look: names of 64 KB do occur.
  const start = text.slice(0, 4 * max + 1_024);
  const isPlain = PLAIN.test(start);
  const honest = isPlain ? start : withoutTricks(start);
  const isSpaced = isPlain && !honest.includes("  ");
  const line = (isSpaced ? honest : honest.replace(/\s+/gu, " ")).trim();
  const mayHaveLongRun = line.length > NAME_MAX;
  return shorten(
    mayHaveLongRun ? line.replace(LONG_RUN, (run) => shorten(run, NAME_MAX)) : line,
    max,
  );
}

/** Nearly everything that is ever shown, and nothing in it can deceive. */
const PLAIN = /^[\x20-\x7e]*$/;
/** Looked for at the beginnings of runs only: else each of their characters is a beginning to try. */
const LONG_RUN = new RegExp(`(?<!\\S)\\S{${NAME_MAX + 1},}`, "gu");

function withoutTricks(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, " ")
    .replace(/[\p{Cf}\p{Co}\p{Cs}\p{Cn}]/gu, "")
    .replace(/(\p{M}{2})\p{M}+/gu, "$1");
}

/** Makes links and host names unclickable: `hxxp://evil[.]example`. Addresses and numbers stay as they are. */
export function defang(text: string): string {
  if (!text.includes(".") && !text.includes(":")) return text;
  return text
    .replace(/\b(h)tt(ps?):\/\//giu, "$1xx$2://")
    .replace(/[\p{L}\p{N}_-]+(?:\.[\p{L}\p{N}_-]+)*\.(?:\p{L}{2,}|xn--[\p{L}\p{N}-]+)/giu, (name) =>
      name.replaceAll(".", "[.]"),
    );
}

/** `clean` and `defang` for anything a message shows outside of code. */
export function safe(text: string, max = NAME_MAX): string {
  return shorten(defang(clean(text, max)), max);
}

/**
 * The longest beginning of `text` whose escaped form is at most `max` UTF-16 units, with an ellipsis where something
 * was cut. Returns the escaped form; never cuts a character or an escape in two.
 */
export function shorten(
  text: string,
  max: number,
  encode = (part: string): string => part,
): string {
  const whole = encode(text);
  if (whole.length <= max) return whole;
  let low = 0;
  let high = Math.min(text.length, max);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (encode(beginning(text, middle)).length < max) low = middle;
    else high = middle - 1;
  }
  return `${encode(beginning(text, low).trimEnd())}…`;
}

/** The first `length` UTF-16 units of `text`, or one fewer where that would cut a character in two. */
function beginning(text: string, length: number): string {
  const isWhole = !/[\ud800-\udbff]/.test(text.charAt(length - 1));
  return text.slice(0, isWhole ? length : length - 1);
}

/** A number as a person would write it: `1,240`, `0.42`, `12.3 M`. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return "unknown";
  const size = Math.abs(value);
  const scale = SCALES.find(({ from }) => size >= from);
  if (scale) return `${significant(value / scale.from, 3)} ${scale.letter}`;
  if (Number.isInteger(value) || size >= 1_000) return Math.round(value).toLocaleString("en-US");
  return significant(value, 3);
}

const SCALES = [
  { from: 1e15, letter: "P" },
  { from: 1e12, letter: "T" },
  { from: 1e9, letter: "G" },
  { from: 1e6, letter: "M" },
] as const;

function significant(value: number, digits: number): string {
  return String(Number(value.toPrecision(digits)));
}

/** A length of time in its two largest units: `12s`, `4m 12s`, `3h 5m`, `2d 4h`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor(whole / 3_600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "m"],
    [whole % 60, "s"],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return "0s";
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join(" ");
}
