// SPDX-License-Identifier: AGPL-3.0-or-later
// npm run fixtures: writes test/fixtures/pcap/* and demo/demo.pcap.gz, the same bytes every time.
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { captures } from "./fixtures/captures.ts";
import { demoCapture } from "./fixtures/demo.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

write("test/fixtures/pcap", captures);
write("demo", { "demo.pcap.gz": demoCapture });

function write(folder: string, files: Readonly<Record<string, () => Buffer>>): void {
  mkdirSync(`${root}${folder}`, { recursive: true });
  for (const [name, make] of Object.entries(files)) {
    const content = make();
    writeFileSync(`${root}${folder}/${name}`, content);
    console.log(`${folder}/${name}: ${content.length} bytes`);
  }
}
