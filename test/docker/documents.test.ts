// SPDX-License-Identifier: AGPL-3.0-or-later
// What runbooks and guides tell an operator to set must be there to be set.
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { configSchema } from "../../src/config/schema.ts";
import { listSettings } from "../../src/config/settings.ts";
import { inputSchema } from "../../src/util/validate.ts";
import { projectFiles, readProjectFile } from "../support/project.ts";

const documents = [
  ...projectFiles("docs/runbooks"),
  "docs/deployment.md",
  "docs/grafana.md",
  "docs/prometheus.md",
];
const settings = new Set(listSettings(inputSchema(configSchema)).map(({ name }) => name));
const sections = new Set([...settings].map((name) => name.split(".")[0] ?? ""));

describe("settings named in documents", () => {
  it.each(documents)("%s names only settings that exist", (path) => {
    const named = [...readProjectFile(path).matchAll(/`([a-z_]+(?:\.[a-z_0-9]+)+)(?:: [^`]*)?`/g)]
      .map(([, name = ""]) => name)
      .filter((name) => sections.has(name.split(".")[0] ?? ""));
    expect(named.filter((name) => !settings.has(name))).toEqual([]);
  });

  it("would notice one that does not", () => {
    expect(settings).toContain("capture.ring_mib");
    expect(settings).not.toContain("capture.ring_size");
  });

  it.each(yamlBlocks("docs/deployment.md"))("docs/deployment.md: this is valid:\n%s", (block) => {
    expect(configSchema.safeParse(load(block)).error).toBeUndefined();
  });
});

function yamlBlocks(path: string): string[] {
  return [...readProjectFile(path).matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(
    ([, block = ""]) => block,
  );
}
