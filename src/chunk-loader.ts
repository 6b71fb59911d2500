// SPDX-License-Identifier: AGPL-3.0-or-later
// Runs the files of the build from what the compiler made of them when they were built. docs/decisions/020-code-cache.md
// says what is gained.
import { isAscii } from "node:buffer";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Script } from "node:vm";
import { crc32 } from "node:zlib";

/** What became of the code cache of a file. Refused is that of another file or engine, and one that was damaged. */
export type CacheState = "used" | "refused" | "missing";

interface Chunk {
  readonly script: Script;
  readonly cache: CacheState;
  readonly module: { exports: unknown };
}

type Wrapper = (
  exports: unknown,
  require: (name: string) => unknown,
  module: Chunk["module"],
  filename: string,
  dirname: string,
) => void;

const BESIDE = "./";
const CHECKSUM_BYTES = 4;

const folder = import.meta.dirname;
const outside = createRequire(import.meta.url);
const chunks = new Map<string, Chunk>();

/** Runs a file of the build as a CommonJS module, once, and returns what it exports. */
export function load(name: string): unknown {
  const known = chunks.get(name);
  if (known) return known.module.exports;
  const path = join(folder, name);
  const source = readFileSync(path);
  const cached = readCache(path);
  const cachedData = cached && checked(cached, source);
  const script = new Script(wrapped(source.toString(isAscii(source) ? "latin1" : "utf8")), {
    filename: path,
    ...(cachedData ? { cachedData } : {}),
  });
  const isUsed = cachedData && !script.cachedDataRejected;
  const cache = isUsed ? "used" : cached ? "refused" : "missing";
  const module = { exports: {} };
  chunks.set(name, { script, cache, module });
  const run: Wrapper = script.runInThisContext();
  run(module.exports, required, module, path, dirname(path));
  return module.exports;
}

/** Writes what the engine has compiled so far of each file that was loaded; for the build, after a typical run. */
export function saveCodeCache(): void {
  for (const [name, { script }] of chunks) {
    const path = join(folder, name);
    const data = script.createCachedData();
    const checksum = Buffer.alloc(CHECKSUM_BYTES);
    checksum.writeUInt32LE(checksumOf(readFileSync(path), data));
    writeFileSync(cachePath(path), Buffer.concat([data, checksum]));
  }
}

/** What became of the code cache of each file that was loaded. */
export function cacheStates(): ReadonlyMap<string, CacheState> {
  return new Map([...chunks].map(([name, { cache }]) => [name, cache]));
}

function required(name: string): unknown {
  return name.startsWith(BESIDE) ? load(name.slice(BESIDE.length)) : outside(name);
}

function readCache(path: string): Buffer | null {
  try {
    return readFileSync(cachePath(path));
  } catch {
    // Without it the file is compiled as usual.
    return null;
  }
}

/** The engine would run whatever it is given for a file of the same length, and dies of what is damaged. */
function checked(cached: Buffer, source: Buffer): Buffer | null {
  if (cached.length < CHECKSUM_BYTES) return null;
  const data = cached.subarray(0, -CHECKSUM_BYTES);
  return cached.readUInt32LE(data.length) === checksumOf(source, data) ? data : null;
}

function checksumOf(source: Buffer, data: Buffer): number {
  return crc32(data, crc32(source));
}

function cachePath(path: string): string {
  return `${path}.cache`;
}

// As Node.js does it (https://nodejs.org/api/modules.html#the-module-wrapper), in one line: line numbers stay right.
function wrapped(source: string): string {
  return `(function (exports, require, module, __filename, __dirname) { ${source}\n})`;
}
