// SPDX-License-Identifier: AGPL-3.0-or-later
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { captures } from "../../scripts/fixtures/captures.ts";
import { demoCapture } from "../../scripts/fixtures/demo.ts";
import { projectFiles, root } from "../support/project.ts";

const DEMO_BYTES_MAX = 1_000_000;

describe("fixture captures", () => {
  it.each(Object.entries(captures))("%s is what npm run fixtures writes", (name, make) => {
    expect(plain(`test/fixtures/pcap/${name}`).equals(unpacked(name, make()))).toBe(true);
  });

  it("are all made by the generator", () => {
    const present = projectFiles("test/fixtures/pcap").map((path) => path.split("/").at(-1));
    expect(present).toEqual(Object.keys(captures).sort());
  });
});

describe("the demo capture", () => {
  const path = "demo/demo.pcap.gz";

  it("is what npm run fixtures writes", () => {
    expect(plain(path).equals(unpacked(path, demoCapture()))).toBe(true);
  });

  it("stays small enough to ship", () => {
    expect(readFileSync(join(root, path)).length).toBeLessThan(DEMO_BYTES_MAX);
  });
});

/** Content without compression, which is not the same in every version of zlib. */
function plain(path: string): Buffer {
  return unpacked(path, readFileSync(join(root, path)));
}

function unpacked(name: string, content: Buffer): Buffer {
  return name.endsWith(".gz") ? gunzipSync(content) : content;
}
