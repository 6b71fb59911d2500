// SPDX-License-Identifier: AGPL-3.0-or-later
import { toJSONSchema, type ZodType, type z } from "zod";
import { explanation, unknownKey } from "./problem-text.ts";

export type SettingPath = readonly (string | number)[];

/** One thing that is wrong with an input; never quotes a value that could be a secret. */
export interface Problem {
  readonly path: SettingPath;
  readonly message: string;
}

/** The part of JSON schema that settings use. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly required?: readonly string[];
  readonly pattern?: string;
}

/** JSON schema of what a file may say, before defaults are filled in. */
export function inputSchema(schema: ZodType): JsonSchema {
  // zod's own type allows boolean schemas at the top, which an object schema never is.
  return toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
}

/** The validated value, or everything that is wrong with the input. */
export function validate<Output>(
  schema: ZodType<Output>,
  input: unknown,
): { readonly value: Output } | { readonly problems: readonly Problem[] } {
  const result = schema.safeParse(input);
  if (result.success) return { value: result.data };
  const described = inputSchema(schema);
  return { problems: result.error.issues.flatMap((issue) => explain(issue, described, input)) };
}

function explain(issue: z.core.$ZodIssue, schema: JsonSchema, input: unknown): Problem[] {
  const path = issue.path.map((key) => (typeof key === "number" ? key : String(key)));
  if (issue.code === "unrecognized_keys") {
    const known = Object.keys(schemaAt(schema, path, input)?.properties ?? {});
    return issue.keys.map((key) => ({ path: [...path, key], message: unknownKey(key, known) }));
  }
  return [{ path, message: explanation(issue, valueAt(input, path)) }];
}

function valueAt(input: unknown, path: SettingPath): unknown {
  let value = input;
  for (const key of path) value = (value as Record<string | number, unknown> | null)?.[key];
  return value;
}

/** The schema that applies at `path`; `input` decides between the forms of a union. */
function schemaAt(schema: JsonSchema, path: SettingPath, input: unknown): JsonSchema | undefined {
  let current: JsonSchema | undefined = form(schema, input);
  let value = input;
  for (const key of path) {
    value = (value as Record<string | number, unknown> | null)?.[key];
    current = form(typeof key === "number" ? current?.items : childOf(current, key), value);
  }
  return current;
}

function childOf(schema: JsonSchema | undefined, key: string): JsonSchema | undefined {
  const rest = schema?.additionalProperties;
  return schema?.properties?.[key] ?? (typeof rest === "object" ? rest : undefined);
}

/** Of several forms the one whose constant keys agree with the value. */
function form(schema: JsonSchema | undefined, value: unknown): JsonSchema | undefined {
  const forms = schema?.oneOf ?? schema?.anyOf;
  if (!forms) return schema;
  const given = (value ?? {}) as Record<string, unknown>;
  return forms.find((candidate) =>
    Object.entries(candidate.properties ?? {}).every(
      ([key, { const: constant }]) => constant === undefined || given[key] === constant,
    ),
  );
}
