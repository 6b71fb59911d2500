// SPDX-License-Identifier: AGPL-3.0-or-later
import type { z } from "zod";
import { nearest } from "./nearest.ts";

/** Says what the key probably was meant to be, or what is known in its place. */
export function unknownKey(key: string, known: readonly string[]): string {
  const guess = nearest(key, known);
  if (guess) return `unknown key "${key}"; did you mean "${guess}"?`;
  return `unknown key "${key}"; known here: ${known.join(", ") || "none"}`;
}

/** What is wrong with `value`, as the end of a sentence that begins with the setting's name. */
export function explanation(issue: z.core.$ZodIssue, value: unknown): string {
  switch (issue.code) {
    case "invalid_type":
      if (value === undefined) return "is required";
      return `must be ${article(issue.expected)}, not ${nameOfType(value)}`;
    case "invalid_value":
      return `must be ${oneOf(issue.values)}${value === undefined ? "" : `, not ${quoted(value)}`}`;
    case "invalid_union":
      if (!("options" in issue) || !issue.options)
        return "does not fit any of the forms allowed here";
      return `must be ${oneOf(issue.options)}${value === undefined ? "" : `, not ${quoted(value)}`}`;
    case "too_small":
      return `must be ${limit("at least", "more than", issue.minimum, issue.inclusive, issue.origin)}`;
    case "too_big":
      return `must be ${limit("at most", "less than", issue.maximum, issue.inclusive, issue.origin)}`;
    default:
      return issue.message.charAt(0).toLowerCase() + issue.message.slice(1);
  }
}

const UNITS: Readonly<Record<string, string>> = {
  string: " characters long",
  array: " items long",
  set: " items long",
};

function limit(
  inclusiveWord: string,
  exclusiveWord: string,
  bound: number | bigint,
  isInclusive: boolean | undefined,
  origin: string,
): string {
  return `${isInclusive === false ? exclusiveWord : inclusiveWord} ${bound}${UNITS[origin] ?? ""}`;
}

function oneOf(values: readonly unknown[]): string {
  const names = values.map((value) => quoted(value));
  return names.length === 1 ? String(names[0]) : `one of ${names.join(", ")}`;
}

/** Words of an enumeration are short; anything else may be a secret in the wrong place. */
function quoted(value: unknown): string {
  if (typeof value === "string")
    return value.length <= 24 ? JSON.stringify(value) : "what is given";
  return value !== null && typeof value === "object" ? nameOfType(value) : String(value);
}

function article(type: string): string {
  switch (type) {
    case "int":
      return "a whole number";
    case "array":
      return "a list";
    case "object":
    case "record":
      return "a section with keys";
    case "boolean":
      return "true or false";
    default:
      return `a ${type}`;
  }
}

function nameOfType(value: unknown): string {
  if (value === null) return "an empty value";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "number") return Number.isInteger(value) ? "a number" : "a fraction";
  if (typeof value === "boolean") return "true or false";
  return typeof value === "object" ? "a section with keys" : `a ${typeof value}`;
}
