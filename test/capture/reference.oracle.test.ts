// SPDX-License-Identifier: AGPL-3.0-or-later
// Packet and byte counts of every capture of the shared test data against its reference answer.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PcapFileSource } from "../../src/capture/pcap-file.ts";
import { sharedData } from "../support/shared-data.ts";

const FOLDERS = ["captures", "attacks", "ai"];
const REFERENCE = ".ref.json";

interface Reference {
  readonly container: {
    readonly type: string;
    readonly packets: string;
    readonly data_bytes: string;
  };
  readonly answer: {
    readonly packets: number;
    readonly bytes: number;
    readonly captured_bytes: number;
  };
}

const data = sharedData();

function referenceFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(REFERENCE))
    .map((name) => join(folder, name))
    .sort();
}

describe.runIf(data !== null)("reference answers", () => {
  const references = FOLDERS.flatMap((folder) => referenceFiles(join(data ?? "", folder)));

  it("are there for all captures", () => {
    expect(references.length).toBeGreaterThanOrEqual(265);
  });

  it.each(references)("%s", async (path) => {
    const { container, answer }: Reference = JSON.parse(readFileSync(path, "utf8"));
    const source = new PcapFileSource(path.slice(0, -REFERENCE.length));
    let packets = 0;
    let bytes = 0;
    let captured = 0;
    await source.open();
    await source.run((frame) => {
      packets++;
      bytes += frame.wireLength;
      captured += frame.end - frame.start;
    });
    source.close();
    expect(packets).toBe(Number(container.packets));
    // tshark counts custom and journal blocks as packets; where there are such blocks, capinfos is right.
    const onlyPackets = answer.packets === packets;
    expect(bytes).toBe(onlyPackets ? answer.bytes : Number(container.data_bytes));
    if (onlyPackets) expect(captured).toBe(answer.captured_bytes);
    expect(source.format).toBe(container.type.replace(/^nsecpcap$/, "pcap"));
    expect(source.progress().readBytes).toBe(source.progress().totalBytes);
  });
});
