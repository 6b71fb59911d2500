// SPDX-License-Identifier: AGPL-3.0-or-later
// What has to be there before anything runs: a new enough Node, the npm packages, a current build. Plain
// JavaScript without dependencies, because it runs before there are any.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../", import.meta.url));

export function say(text) {
  process.stderr.write(`${text}\n`);
}

/** Ends the process with a clear message where Node is older than `engines` in package.json asks for. */
export function checkNode() {
  const wanted = readJson("package.json").engines.node.replace(">=", "");
  if (compareVersions(process.versions.node, wanted) >= 0) return;
  say(`Node ${process.versions.node} is too old: this program needs Node ${wanted} or newer.`);
  say("Install a current version from https://nodejs.org/ and run the same command again.");
  process.exit(1);
}

/** Runs `npm ci` where node_modules does not hold what package-lock.json names; returns true where it did. */
export function ensureNpmPackages() {
  if (npmPackagesInstalled()) return false;
  say("Installing the npm packages of package-lock.json into node_modules (npm ci) …");
  npm(["ci", "--include=dev", "--no-audit", "--no-fund"]);
  return true;
}

/**
 * Installs once more where the optional package cap is missing, because the libpcap headers that it needs have just
 * been installed. Where it still cannot be built, it stays away.
 */
export function ensureCap() {
  if (existsSync(join(root, "node_modules/cap/build/Release/cap.node"))) return;
  say("Building the optional package cap, now that the libpcap headers are installed (npm ci) …");
  npm(["ci", "--include=dev", "--no-audit", "--no-fund"]);
}

/** Builds dist/ where it is older than src/, or than what builds it. */
export function ensureBuild() {
  const built = modifiedMs("dist/main.js");
  const wanted = Math.max(
    ...["tsconfig.json", "scripts/bundle.mjs", "config/nam.schema.json"].map(modifiedMs),
    newestMs("src"),
  );
  if (built > 0 && built >= wanted) return;
  say("Building: src/ into dist/ …");
  npm(["run", "--silent", "build"]);
}

/** Runs npm the way this process was started; ends the process where npm fails. */
function npm(args) {
  const viaNpm = process.env.npm_execpath;
  const [command, prefix] = viaNpm ? [process.execPath, [viaNpm]] : ["npm", []];
  const result = spawnSync(command, [...prefix, ...args], {
    cwd: root,
    env: { ...process.env, ...nodeHeaders() },
    stdio: ["ignore", 2, 2],
  });
  if (result.status === 0) return;
  say(`npm ${args.join(" ")} failed${result.error ? `: ${result.error.message}` : ""}.`);
  process.exit(1);
}

/** Node's own headers where they are installed beside it: native packages then build without a download. */
function nodeHeaders() {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, "include/node/node.h")) ? { npm_config_nodedir: prefix } : {};
}

function npmPackagesInstalled() {
  if (!existsSync(join(root, "node_modules/.package-lock.json"))) return false;
  const installed = readJson("node_modules/.package-lock.json").packages;
  return Object.entries(readJson("package-lock.json").packages).every(
    ([path, wanted]) =>
      path === "" || wanted.optional || installed[path]?.version === wanted.version,
  );
}

function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), "utf8"));
}

function modifiedMs(path) {
  return statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function newestMs(folder) {
  let newest = modifiedMs(folder);
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    newest = Math.max(newest, entry.isDirectory() ? newestMs(path) : modifiedMs(path));
  }
  return newest;
}

function compareVersions(left, right) {
  const wanted = right.split(".").map(Number);
  for (const [at, part] of left.split(".").map(Number).entries()) {
    if (part !== (wanted[at] ?? 0)) return part - (wanted[at] ?? 0);
  }
  return 0;
}
