// SPDX-License-Identifier: AGPL-3.0-or-later
// Where the shape of a token stream begins and ends, measure by measure.
import { describe, expect, it } from "vitest";
import { StreamShape } from "../../../src/flow/ai/stream-shape.ts";

const ROW = 5;

interface Reply {
  readonly records: number;
  readonly bytes: (at: number) => number;
  readonly gapMs: number;
  readonly lengthMs: number;
  readonly client: number;
}

/** Two records of headers, and a hundred events of 300 bytes, 20 ms apart, in 2 s. */
const STREAM: Reply = { records: 102, bytes: () => 300, gapMs: 20, lengthMs: 2000, client: 0 };

function isStream(parts: Partial<Reply>, shape = new StreamShape()): boolean {
  const { records, bytes, gapMs, lengthMs, client } = { ...STREAM, ...parts };
  shape.begin(ROW);
  for (let at = 0; at < records; at++) shape.add(ROW, bytes(at), gapMs);
  for (let at = 0; at < client; at++) shape.addClient(ROW);
  return shape.isStream(ROW, lengthMs);
}

/** `large` of a hundred records have so many bytes. */
const some = (large: number, bytes: number) => (at: number) => (at >= 102 - large ? bytes : 300);

describe("the shape of a token stream", () => {
  it.each<[string, Partial<Reply>, boolean]>([
    ["a stream", {}, true],
    ["20 records behind the headers", { records: 22 }, true],
    ["19", { records: 21 }, false],
    ["a second", { lengthMs: 1000 }, true],
    ["less", { lengthMs: 999 }, false],
    ["gaps of 5 ms", { gapMs: 5 }, true],
    ["gaps of 3 ms", { gapMs: 3 }, false],
    ["gaps of 200 ms", { gapMs: 200 }, true],
    ["gaps of 330 ms", { gapMs: 330 }, false],
    ["records of 66 bytes", { bytes: () => 66 }, true],
    ["records of 50 bytes", { bytes: () => 50 }, false],
    ["records of 640 bytes", { bytes: () => 640 }, true],
    ["records of 800 bytes", { bytes: () => 800 }, false],
    ["some small records", { bytes: (at) => (at % 7 === 0 ? 40 : 300) }, true],
    ["15 of 100 large", { bytes: some(15, 1400) }, true],
    ["16 of 100 large", { bytes: some(16, 1400) }, false],
    ["sizes that spread little", { bytes: (at) => 200 + (at % 4) * 40 }, true],
    ["sizes that spread", { bytes: (at) => (at % 2 === 0 ? 90 : 600) }, false],
    ["a client that says little", { client: 10 }, true],
    ["a client that talks", { client: 11 }, false],
  ])("%s", (_, parts, wanted) => {
    expect(isStream(parts)).toBe(wanted);
  });

  it("leaves headers out, whatever they are", () => {
    expect(isStream({ bytes: (at) => (at < 2 ? 9000 : 300), gapMs: 20 })).toBe(true);
  });

  it("is of the present reply, and of one row", () => {
    const shape = new StreamShape();
    for (let at = 0; at < 50; at++) shape.add(ROW + 1, 9000, 1);
    expect(isStream({ bytes: () => 9000 }, shape)).toBe(false);
    expect(isStream({}, shape)).toBe(true);
    expect(shape.records(ROW + 1)).toBe(50);
    expect(shape.large(ROW + 1)).toBe(50);
  });

  it("stays what it is when counters are full", () => {
    const shape = new StreamShape();
    expect(isStream({ records: 200_000, lengthMs: 1e7 }, shape)).toBe(true);
    expect(shape.records(ROW)).toBe(0xffff);
  });

  it("takes records whose time goes back for such that come at once, in its own row", () => {
    const shape = new StreamShape();
    isStream({ gapMs: 20 }, shape);
    shape.begin(ROW + 1);
    for (let at = 0; at < 102; at++) shape.add(ROW + 1, 300, -4);
    expect(shape.isStream(ROW, 2000)).toBe(true);
    expect(shape.isStream(ROW + 1, 2000)).toBe(false);
  });

  it("takes any number without harm", () => {
    for (const value of [0, 1, 7, 8, 32_767, 32_768, 1e9]) {
      expect(isStream({ bytes: () => value, gapMs: value })).toBe(false);
    }
  });
});
