// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Setting } from "../../src/config/settings.ts";
import type { JsonSchema } from "../../src/util/validate.ts";
import { code, sentence, table } from "./markdown.ts";

export function settingsTable(settings: readonly Setting[]): string {
  const rows = settings.map(({ name, variable, schema }) => [
    `${code(name)}<br>${code(variable)}`,
    typeOf(schema),
    defaultOf(schema),
    sentence(schema.description ?? ""),
  ]);
  return table(["Setting and variable", "Type", "Default", "Meaning"], rows);
}

export function typeOf(schema: JsonSchema): string {
  const forms = schema.oneOf ?? schema.anyOf;
  if (schema.enum) return `one of ${schema.enum.map(String).map(code).join(", ")}`;
  if (schema.const !== undefined) return code(String(schema.const));
  if (forms) return forms.map(typeOf).join(" or ");
  const types = [schema.type ?? "anything"].flat().filter((type) => type !== "null");
  if (types[0] === "array") return `list of ${schema.items ? typeOf(schema.items) : "anything"}`;
  return `${types.map((type) => NAMES[type] ?? type).join(" or ")}${rangeOf(schema)}`;
}

const NAMES: Readonly<Record<string, string>> = {
  string: "text",
  integer: "whole number",
  boolean: "true or false",
  object: "section",
};

/** Bounds that zod adds to every whole number say nothing. */
function rangeOf(schema: JsonSchema): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const bounds = [
    isBound(minimum) ? `from ${minimum}` : "",
    exclusiveMinimum === undefined ? "" : `above ${exclusiveMinimum}`,
    isBound(maximum) ? `to ${maximum}` : "",
    exclusiveMaximum === undefined ? "" : `below ${exclusiveMaximum}`,
  ].filter((bound) => bound !== "");
  return bounds.length === 0 ? "" : ` ${bounds.join(" ")}`;
}

function isBound(bound: number | undefined): boolean {
  return bound !== undefined && Math.abs(bound) < Number.MAX_SAFE_INTEGER;
}

function defaultOf({ default: value }: JsonSchema): string {
  if (value === undefined || value === null) return "";
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "string")
    ? value.map(code).join(", ")
    : code(typeof value === "string" ? value : JSON.stringify(value));
}
