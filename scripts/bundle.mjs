// SPDX-License-Identifier: AGPL-3.0-or-later
// Puts the program's own modules, which tsc has checked, into a few files: dist/main.js and dist/sensor.js with what they
// share. Loading two hundred small files took longer than replaying most captures (docs/decisions/007-bundled-build.md).
// Packages stay outside, in node_modules; names and lines stay as they are in the source.
import { build } from "esbuild";

await build({
  entryPoints: ["src/main.ts", "src/sensor.ts"],
  outdir: "dist",
  bundle: true,
  // Code that one command alone needs is loaded by that command alone. Flat, because sensors.ts looks for sensor.js
  // beside itself.
  splitting: true,
  chunkNames: "[name]-[hash]",
  format: "esm",
  platform: "node",
  target: "node20.19",
  packages: "external",
  sourcemap: true,
  logLevel: "warning",
});
