// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { configSchema } from "../../src/config/schema.ts";
import { listSettings } from "../../src/config/settings.ts";
import { inputSchema, type JsonSchema } from "../../src/util/validate.ts";

const schema = inputSchema(configSchema);
const settings = listSettings(schema);

function sections(node: JsonSchema, path: readonly string[]): [string, JsonSchema][] {
  const children = Object.entries(node.properties ?? {});
  const forms = node.items?.oneOf ?? [];
  return [
    [path.join("."), node],
    ...children.flatMap(([key, child]) => sections(child, [...path, key])),
    ...forms.flatMap((form, index) => sections(form, [...path, String(index)])),
  ];
}

describe("every setting", () => {
  it.each(sections(schema, []).slice(1))("%s is described", (path, node) => {
    if (/^channels\.\d+(\.type)?$/.test(path)) return;
    expect(node.description ?? "").toMatch(/\w{3}/);
  });

  it("is strict: nothing unknown is allowed in any section", () => {
    const loose = sections(schema, []).filter(
      ([, node]) => node.properties && node.additionalProperties !== false,
    );
    expect(loose.map(([path]) => path)).toEqual([]);
  });

  it("has a variable of its own", () => {
    const variables = settings.map(({ variable }) => variable);
    expect(new Set(variables).size).toBe(variables.length);
    expect(variables.every((name) => /^NAM_[A-Z0-9_]+$/.test(name))).toBe(true);
  });

  it("has a default or may be left out", () => {
    expect(
      sections(schema, []).flatMap(([path, node]) =>
        path.startsWith("channels.") ? [] : (node.required ?? []),
      ),
    ).toEqual([]);
  });

  it("has a default that is valid in its own place", () => {
    for (const { schema: setting, name } of settings) {
      if (setting.enum) expect(setting.enum, name).toContain(setting.default);
    }
    expect(configSchema.safeParse({}).success).toBe(true);
  });
});
