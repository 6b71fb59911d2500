// SPDX-License-Identifier: AGPL-3.0-or-later
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { projectFiles, readProjectFile, root } from "../support/project.ts";

interface PackageJson {
  readonly version: string;
  readonly license: string;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
}

interface LockEntry {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
}

interface LockFile {
  readonly version: string;
  readonly packages: Readonly<Record<string, LockEntry>>;
}

const manifest = JSON.parse(readProjectFile("package.json")) as PackageJson;
const lock = JSON.parse(readProjectFile("package-lock.json")) as LockFile;

describe("package.json", () => {
  it("names the licence of LICENSE", () => {
    expect(manifest.license).toBe("AGPL-3.0-or-later");
    expect(readProjectFile("LICENSE")).toContain("GNU AFFERO GENERAL PUBLIC LICENSE");
  });

  it("has the version of the lock file and of the newest CHANGELOG entry", () => {
    const newest = /^## \[?(\d+\.\d+\.\d+)\]?/m.exec(readProjectFile("CHANGELOG.md"))?.[1];
    expect({ lock: lock.version, changelog: newest }).toEqual({
      lock: manifest.version,
      changelog: manifest.version,
    });
  });

  it("lists as dependencies only packages that src imports", () => {
    const source = projectFiles("src").map(readProjectFile).join("\n");
    const named = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
    const unused = named.filter((name) => !source.match(new RegExp(`"${name}["/]`)) === null);
    expect(unused).toEqual([]);
  });

  it("has decided about every package with an install script", () => {
    const scripted = Object.entries(lock.packages)
      .filter(([, entry]) => entry.hasInstallScript)
      .map(([path]) => path.split("node_modules/").at(-1) ?? "");
    expect([...new Set(scripted)].sort()).toEqual(Object.keys(manifest.allowScripts).sort());
  });

  it("names only script files that exist", () => {
    const named = Object.values(manifest.scripts).flatMap(
      (script) => script.match(/\b[\w/-]+\.(mjs|ts|sh)\b/g) ?? [],
    );
    const files = new Set(projectFiles());
    expect(named.filter((path) => !files.has(path))).toEqual([]);
  });
});

describe("package-lock.json", () => {
  const packages = Object.entries(lock.packages).filter(([path]) => path !== "");

  it("names no registry, so that it works with the reader's own", () => {
    expect(packages.filter(([, entry]) => entry.resolved !== undefined)).toEqual([]);
  });

  it("pins by hash whatever ends up in the product", () => {
    // The formatter's binaries for platforms that the lock file was not made on are pinned by version only.
    const unpinned = packages.filter(([, entry]) => entry.integrity === undefined);
    expect(unpinned.filter(([path]) => !path.startsWith("node_modules/@biomejs/cli-"))).toEqual([]);
  });
});

describe("the published package", () => {
  const paths = packedFiles();

  it.each([
    "LICENSE",
    "NOTICE",
    "README.md",
    "CHANGELOG.md",
    "dist/main.js",
    "dist/sensor.js",
    "dist/replay-worker.js",
    "config/nam.example.yml",
    "prometheus/prometheus.yml",
    "prometheus/rules/alerts.yml",
    "prometheus/rules/recording.yml",
    "alertmanager/alertmanager.yml",
  ])("holds %s", (path) => {
    expect(paths).toContain(path);
  });

  it("holds the dashboards", () => {
    expect(paths.filter((path) => /^grafana\/dashboards\/.+\.json$/.test(path))).not.toEqual([]);
  });

  it("holds no sources, tests, benchmarks or scripts", () => {
    const inner = /^(src|test|bench|scripts|demo|\.)/;
    expect(paths.filter((path) => inner.test(path))).toEqual([]);
  });
});

function packedFiles(): string[] {
  // Without the scripts, because prepack would rebuild dist/ under the tests that run from it.
  const result = spawnSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: root,
    encoding: "utf8",
  });
  const packed: unknown = JSON.parse(result.stdout);
  // npm 12 answers with an object by package name, npm 10 and 11 with a list.
  const [entry] = Object.values(packed as Record<string, { files: { path: string }[] }>);
  return (entry?.files ?? []).map((file) => file.path);
}
