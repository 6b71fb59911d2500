// SPDX-License-Identifier: AGPL-3.0-or-later
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runProgram } from "../../src/commands/program.ts";
import { readProjectFile, root } from "../support/project.ts";

const text = readProjectFile("docs/events.md");

/** The first event that a replay of an attack raises, as the program prints it. */
async function realEvent(): Promise<Record<string, unknown>> {
  let output = "";
  const stdout = {
    write: (part: string) => {
      output += part;
    },
  };
  const capture = join(root, "test/fixtures/pcap/syn-scan.pcap");
  await runProgram(["replay", "--events", "-", capture], {
    env: {},
    stdout,
    stderr: { write: () => true },
  });
  return JSON.parse(output.split("\n")[0] ?? "") as Record<string, unknown>;
}

describe("docs/events.md", () => {
  it("describes exactly the fields of an event", async () => {
    const fields = Object.keys(await realEvent()).sort();
    const [, table = ""] = text.split("| Field |");
    const documented = [...(table.split("\n## ")[0] ?? "").matchAll(/^\| `(\w+)` \|/gm)].map(
      (match) => match[1],
    );
    expect(documented.sort()).toEqual(fields);
    const example = JSON.parse(/```json\n([\s\S]*?)```/.exec(text)?.[1] ?? "") as object;
    expect(Object.keys(example).sort()).toEqual(fields);
  });
});
