// SPDX-License-Identifier: AGPL-3.0-or-later
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { detectors } from "../../src/detect/all.ts";
import { projectFiles, readProjectFile, root } from "../support/project.ts";

const documents = projectFiles().filter((path) => path.endsWith(".md"));
const manifest = JSON.parse(readProjectFile("package.json")) as { scripts: Record<string, string> };

describe("documentation", () => {
  it.each(documents)("%s: every link inside the project leads somewhere", (path) => {
    const broken = links(readProjectFile(path)).filter((link) => !resolves(path, link));
    expect(broken).toEqual([]);
  });

  it.each(documents)("%s: every npm command exists", (path) => {
    const commands = [...readProjectFile(path).matchAll(/\bnpm run ([\w:-]+)/g)];
    const unknown = commands
      .map((match) => match[1] ?? "")
      .filter((name) => !(name in manifest.scripts));
    expect(unknown).toEqual([]);
  });

  it("shows only valid configurations in README.md", () => {
    const blocks = [...readProjectFile("README.md").matchAll(/^```yaml\n([\s\S]*?)^```/gm)];
    expect(blocks.length).toBeGreaterThan(0);
    const folder = mkdtempSync(join(tmpdir(), "nam-docs-"));
    const file = join(folder, "nam.yml");
    for (const [, text = ""] of blocks) {
      writeFileSync(file, text);
      expect(() => loadConfig({ file, env: {}, flags: [] })).not.toThrow();
    }
    rmSync(folder, { recursive: true });
  });

  it("names every detector in README.md, and none that there is not", () => {
    const section =
      /## What it detects\n([\s\S]*?)\n## /.exec(readProjectFile("README.md"))?.[1] ?? "";
    const named = [...section.matchAll(/`(\w+)`/g)].map((match) => match[1]);
    expect(named.sort()).toEqual(detectors.map((detector) => detector.name).sort());
  });

  it("lists every decision in the index", () => {
    const index = readProjectFile("docs/decisions/000-index.md");
    const decisions = projectFiles("docs/decisions").map((path) => path.split("/").at(-1) ?? "");
    const unlisted = decisions.filter(
      (name) => name !== "000-index.md" && !index.includes(`(${name})`),
    );
    expect(unlisted).toEqual([]);
  });

  it("gives no number to two decisions", () => {
    const numbers = projectFiles("docs/decisions").map((path) =>
      path.split("/").at(-1)?.slice(0, 3),
    );
    expect(numbers).toEqual([...new Set(numbers)]);
  });
});

/** Targets of Markdown links and images, outside code blocks. */
function links(text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, "").replace(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? "");
}

function resolves(from: string, link: string): boolean {
  if (/^(https?|mailto):/.test(link)) return true;
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? from : join(dirname(from), path);
  if (!existsSync(join(root, target))) return false;
  return anchor === undefined || !target.endsWith(".md") || anchors(target).includes(anchor);
}

/** Anchors as GitHub makes them of headings. */
function anchors(path: string): string[] {
  return [...readProjectFile(path).matchAll(/^#+ (.+)$/gm)].map((match) =>
    (match[1] ?? "")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}
