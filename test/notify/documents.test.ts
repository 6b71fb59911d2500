// SPDX-License-Identifier: AGPL-3.0-or-later
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { exampleConfiguration } from "../../scripts/docs/example.ts";
import { channelSettings, channels } from "../../src/notify/all.ts";
import { root } from "../support/project.ts";

const page = readFileSync(join(root, "docs/channels.md"), "utf8");
const snippets = [...page.matchAll(/^```yaml\n(- type: [\s\S]*?)^```$/gm)].map(
  ([, text = ""]) => text,
);

describe("docs/channels.md", () => {
  it("has every channel", () => {
    for (const { type } of channels) expect(page).toContain(`- type: ${type}`);
  });

  it.each(snippets)("%s", (text) => {
    expect(() => channelSettings.parse(load(text))).not.toThrow();
  });
});

it("the channels of the example configuration are valid once they are no comment", () => {
  const [, commented = ""] = /^# channels:\n((?:# {3}.*\n)+)/m.exec(exampleConfiguration()) ?? [];
  const list = load(commented.replaceAll(/^# /gm, "")) as object[];
  expect(list).toHaveLength(channels.length);
  expect(() => channelSettings.parse(list)).not.toThrow();
});
