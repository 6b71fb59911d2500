// SPDX-License-Identifier: AGPL-3.0-or-later
// What can be seen of the image without building it. `npm run test:container` builds it and tries it.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readProjectFile, root } from "../support/project.ts";

interface Instruction {
  readonly name: string;
  readonly text: string;
}

const instructions = parse(readProjectFile("Dockerfile"));
const stages = split(instructions);
const final = stages.at(-1) ?? [];
const ignored = readProjectFile(".dockerignore")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"));

describe("Dockerfile", () => {
  it("builds in one stage and ships another", () => {
    expect(stages).toHaveLength(2);
    for (const [from] of stages) expect(from?.text).toMatch(/^\$\{\w+_IMAGE\}/);
  });

  it("names its base images with release and variant, in arguments that a digest can replace", () => {
    const bases = all(instructions, "ARG").filter((text) => text.includes("_IMAGE="));
    expect(bases).toEqual([
      "NODE_IMAGE=docker.io/library/node:24-bookworm-slim",
      "BASE_IMAGE=docker.io/library/debian:bookworm-slim",
    ]);
  });

  it("installs exactly what the lock file says, and runs no package's own script", () => {
    const npm = all(instructions, "RUN").flatMap(
      (text) => text.match(/npm (ci|prune)[^&]*/g) ?? [],
    );
    expect(npm).toHaveLength(2);
    for (const command of npm) expect(command).toContain("--ignore-scripts");
  });

  it("ships no root, one capability, and state in a volume", () => {
    expect(all(final, "USER")).toEqual(["nam"]);
    expect(all(instructions, "RUN").join("\n")).toContain("setcap cap_net_raw+ep");
    const state = all(final, "VOLUME")[0] ?? "";
    expect(all(final, "ENV").join("\n")).toContain(`STATE_DIRECTORY=${state}`);
    expect(all(final, "RUN").join("\n")).toContain(state);
  });

  it("needs no shell to start or to be healthy", () => {
    for (const name of ["ENTRYPOINT", "CMD"]) expect(all(final, name)[0]).toMatch(/^\["/);
    const [health = ""] = all(final, "HEALTHCHECK");
    expect(health).toMatch(/CMD \["\/usr\/local\/bin\/node", "healthcheck\.mjs"\]$/);
  });

  it("says what it is and under which licence", () => {
    const labels = all(final, "LABEL").join("\n");
    for (const name of ["title", "description", "licenses", "revision"]) {
      expect(labels).toContain(`org.opencontainers.image.${name}=`);
    }
    expect(all(final, "COPY").join("\n")).toMatch(/\bLICENSE\b/);
  });

  it("copies what exists and what .dockerignore lets through, and nothing else goes in", () => {
    const copied = all(instructions, "COPY")
      .filter((text) => !text.startsWith("--from="))
      .flatMap((text) => text.split(/\s+/).slice(0, -1));
    expect(copied.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    expect(ignored[0]).toBe("*");
    expect(ignored.slice(1).sort()).toEqual([...new Set(copied)].map((path) => `!${path}`).sort());
  });
});

/** Instructions with continued lines joined; comments and blank lines left out. */
function parse(text: string): Instruction[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  return lines
    .join("\n")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .map((line) => {
      const [, name = "", rest = ""] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
      return { name, text: rest };
    });
}

function split(all: readonly Instruction[]): Instruction[][] {
  const parts: Instruction[][] = [];
  for (const instruction of all) {
    if (instruction.name === "FROM") parts.push([]);
    parts.at(-1)?.push(instruction);
  }
  return parts;
}

function all(from: readonly Instruction[], name: string): string[] {
  return from.filter((instruction) => instruction.name === name).map(({ text }) => text);
}
