// SPDX-License-Identifier: AGPL-3.0-or-later
// HPACK against the examples of RFC 7541 Appendix C, and against blocks that break it.
import { describe, expect, it } from "vitest";
import { BlockReader } from "../../src/decode/hpack/block-reader.ts";
import { Huffman, Step } from "../../src/decode/hpack/huffman.ts";
import { FieldWord } from "../../src/decode/hpack/tables.ts";
import { METHODS } from "../../src/decode/http-line.ts";
import { hex } from "./frames.ts";

const FIRST_DYNAMIC = 62;
const STREAM = 1;

interface Said {
  readonly method?: string;
  readonly status?: number;
  readonly host?: string;
}

/** Reads blocks of one stream, each `step` bytes at a time. */
class Blocks {
  readonly reader = new BlockReader(2);
  readonly #step: number;

  constructor(limit = 4096, step = 1000) {
    this.#step = step;
    this.reader.tables.reset(STREAM, true);
    this.reader.tables.limit(STREAM, limit);
  }

  /** What the block says, null where it is none. */
  read(text: string): Said | null {
    const { reader } = this;
    const block = Uint8Array.from(hex(text));
    const view = new DataView(block.buffer);
    reader.beginSegment(block.length);
    reader.begin(STREAM);
    for (let at = 0; at < block.length; at += this.#step) {
      reader.read(view, at, Math.min(block.length, at + this.#step), STREAM);
    }
    if (!reader.end(STREAM)) return null;
    const method = METHODS[reader.facts.method(STREAM)];
    const status = reader.facts.status(STREAM);
    const at = reader.tables.hostAt(STREAM, reader.facts.hostPlace(STREAM));
    const length = reader.facts.hostLength(STREAM);
    const host = Buffer.from(reader.tables.hosts.subarray(at, at + length)).toString();
    return {
      ...(method === undefined ? {} : { method }),
      ...(status === 0 ? {} : { status }),
      ...(host === "" ? {} : { host }),
    };
  }

  get isCrowded(): boolean {
    return this.reader.isCrowded(STREAM);
  }

  get hasUnknown(): boolean {
    return this.reader.facts.hasUnknown(STREAM);
  }

  /** Size of the table, and the lengths of its fields' names from the newest on. */
  get table(): readonly [size: number, ...names: number[]] {
    const { tables } = this.reader;
    const names = Array.from({ length: tables.count(STREAM) }, (_, back) => {
      const at = tables.find(STREAM, FIRST_DYNAMIC + back);
      return tables.fields[at + FieldWord.NAME_LENGTH] ?? -1;
    });
    return [tables.size(STREAM), ...names];
  }
}

const [AUTHORITY, CACHE_CONTROL, CUSTOM_KEY] = [
  ":authority".length,
  "cache-control".length,
  "custom-key".length,
];
const [STATUS, DATE, LOCATION] = [":status".length, "date".length, "location".length];
const [CONTENT_ENCODING, SET_COOKIE] = ["content-encoding".length, "set-cookie".length];
const EXAMPLE = { method: "get", host: "www.example.com" };

type Block = readonly [block: string, said: Said, table: readonly number[]];

const REQUESTS: readonly (readonly [Said, readonly number[]])[] = [
  [EXAMPLE, [57, AUTHORITY]],
  [EXAMPLE, [110, CACHE_CONTROL, AUTHORITY]],
  [EXAMPLE, [164, CUSTOM_KEY, CACHE_CONTROL, AUTHORITY]],
];
const RESPONSES: readonly (readonly [Said, readonly number[]])[] = [
  [{ status: 302 }, [222, LOCATION, DATE, CACHE_CONTROL, STATUS]],
  [{ status: 307 }, [222, STATUS, LOCATION, DATE, CACHE_CONTROL]],
  [{ status: 200 }, [215, SET_COOKIE, CONTENT_ENCODING, DATE]],
];

/** By section: size of the table, and the blocks with what each of them says. */
const APPENDIX_C: Readonly<Record<string, readonly [number, readonly Block[]]>> = {
  "C.2.1": [4096, [["400a637573746f6d2d6b65790d637573746f6d2d686561646572", {}, [55, CUSTOM_KEY]]]],
  "C.2.2": [4096, [["040c2f73616d706c652f70617468", {}, [0]]]],
  "C.2.3": [4096, [["100870617373776f726406736563726574", {}, [0]]]],
  "C.2.4": [4096, [["82", { method: "get" }, [0]]]],
  "C.3": steps(4096, REQUESTS, [
    "828684410f7777772e6578616d706c652e636f6d",
    "828684be58086e6f2d6361636865",
    "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
  ]),
  "C.4": steps(4096, REQUESTS, [
    "828684418cf1e3c2e5f23a6ba0ab90f4ff",
    "828684be5886a8eb10649cbf",
    "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
  ]),
  "C.5": steps(256, RESPONSES, [
    "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d",
    "4803333037c1c0bf",
    "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31",
  ]),
  "C.6": steps(256, RESPONSES, [
    "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
    "4883640effc1c0bf",
    "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
  ]),
};

function steps(
  limit: number,
  outcomes: readonly (readonly [Said, readonly number[]])[],
  blocks: readonly string[],
): readonly [number, readonly Block[]] {
  return [limit, outcomes.map(([said, table], at) => [blocks[at] ?? "", said, table] as const)];
}

describe("RFC 7541 Appendix C", () => {
  const cases = Object.entries(APPENDIX_C).flatMap(([section, example]) =>
    [1000, 1, 7].map((step) => [section, step, example] as const),
  );

  it.each(cases)("%s, %i bytes at a time", (_section, step, [limit, blocks]) => {
    const stream = new Blocks(limit, step);
    for (const [block, said, table] of blocks) {
      expect(stream.read(block)).toEqual(said);
      expect(stream.table).toEqual(table);
    }
  });

  it.each([
    ["f1e3c2e5f23a6ba0ab90f4ff", "www.example.com"],
    ["a8eb10649cbf", "no-cache"],
    ["25a849e95ba97d7f", "custom-key"],
    ["25a849e95bb8e8b4bf", "custom-value"],
    ["6402", "302"],
    ["640eff", "307"],
    ["aec3771a4b", "private"],
    ["d07abe941054d444a8200595040b8166e082a62d1bff", "Mon, 21 Oct 2013 20:13:21 GMT"],
    ["9d29ad171863c78f0b97c8e9ae82ae43d3", "https://www.example.com"],
    ["9bd9ab", "gzip"],
    [
      "94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
      "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
    ],
  ])("text %s", (code, text) => {
    expect(decoded(hex(code))).toBe(text);
  });
});

function decoded(code: Uint8Array): string | null {
  const huffman = new Huffman();
  let state = 0;
  let text = "";
  for (const nibble of [...code].flatMap((byte) => [byte >>> 4, byte & 0xf])) {
    const step = huffman.step(state, nibble);
    if (step === Step.FAILED) return null;
    state = step & Step.STATE_MASK;
    if (step >= Step.HAS_BYTE) text += String.fromCharCode((step >>> Step.BYTE_SHIFT) & 0xff);
  }
  return huffman.endsWell(state) ? text : null;
}

describe("the Huffman code", () => {
  it("ends in at most seven ones", () => {
    expect(decoded(hex("07"))).toBe("0");
    expect(decoded(hex("07ff"))).toBeNull();
    expect(decoded(hex("00"))).toBeNull();
    expect(decoded(hex("ff"))).toBeNull();
  });

  it("has no EOS in a text", () => {
    expect(decoded(hex("fffffffc"))).toBeNull();
    expect(decoded(hex("ffffffff"))).toBeNull();
  });
});

describe("header blocks that break HPACK", () => {
  it.each([
    ["index 0", "80"],
    ["an index that no table has", "be"],
    ["a name that no table has", "7e0161"],
    ["a number without end", "ffffffffffffffffffff01"],
    ["a length without end", "40ffffffffffffff7f"],
    ["a table resized behind a field", "823f00"],
    ["a text that ends with the block", "40036161"],
    ["a field that ends with the block", "40"],
    ["a number that ends with the block", "ff"],
    ["padding that is none", "4081006100"],
    ["EOS in a text", "4084ffffffff0161"],
  ])("%s", (_what, block) => {
    for (const step of [1000, 1]) expect(new Blocks(4096, step).read(block)).toBeNull();
  });
});

describe("tables", () => {
  /** A field with a name and value of one letter, which goes into the table. */
  const field = (letter: string): string => {
    const code = letter.charCodeAt(0).toString(16);
    return `4001${code}01${code}`;
  };
  const TO_64 = "3f21";
  const TO_65536 = "3fe1ff03";

  it("shrink and grow as the encoder says", () => {
    const stream = new Blocks();
    expect(stream.read(field("a") + field("b"))).toEqual({});
    expect(stream.table).toEqual([68, 1, 1]);
    stream.read(TO_64 + field("c"));
    expect(stream.table).toEqual([34, 1]);
    stream.read("20");
    expect(stream.table).toEqual([0]);
    stream.read(`3fe11f${field("d")}`);
    expect(stream.table).toEqual([34, 1]);
  });

  it("are emptied by a field larger than they are", () => {
    const stream = new Blocks();
    stream.read(TO_64 + field("a"));
    expect(stream.read(`4001613c${"61".repeat(60)}`)).toEqual({});
    expect(stream.table).toEqual([0]);
  });

  it("are known from a gap on, and not before", () => {
    const stream = new Blocks();
    stream.read(field("a"));
    stream.reader.tables.reset(STREAM, false);
    expect(stream.read("be")).toEqual({});
    expect(stream.hasUnknown).toBe(true);
    expect(stream.read("82410161bf")).toEqual({ method: "get", host: "a" });
    expect(stream.hasUnknown).toBe(true);
    expect(stream.read("83be")).toEqual({ method: "post", host: "a" });
    expect(stream.hasUnknown).toBe(false);
  });

  it("keep the newest 128 fields where they are allowed more", () => {
    const stream = new Blocks();
    stream.read(TO_65536 + field("a").repeat(65));
    stream.read(field("a").repeat(65));
    expect(stream.table.slice(0, 2)).toEqual([128 * 34, 1]);
    expect(stream.table).toHaveLength(129);
    // The 129th field is index 190, which is 127 and 63 more.
    expect(stream.read("ff3f")).toEqual({});
    expect(stream.hasUnknown).toBe(true);
    expect(stream.read("ff3e")).toEqual({});
    expect(stream.hasUnknown).toBe(false);
  });

  it("keep the newest 1,024 bytes of hosts", () => {
    const stream = new Blocks();
    const host = (letter: string): string => `417fc801${letter.repeat(327)}`;
    expect(stream.read(host("61"))).toEqual({ host: "a".repeat(255) });
    for (const letter of ["62", "63", "64"]) stream.read(host(letter));
    expect(stream.read("c1")).toEqual({ host: "a".repeat(255) });
    stream.read(host("65"));
    expect(stream.read("c2")).toEqual({});
    expect(stream.read("be")).toEqual({ host: "e".repeat(255) });
  });
});

describe("the fields of a segment", () => {
  /** A method, then fields with a name and value of nothing that go into the table: the most work for three bytes. */
  const crowd = (count: number): string => `82${"400000".repeat(count)}`;

  it.each([
    [51, 51],
    [52, 51],
    [100, 69],
    [200, 107],
  ])("that are written out are %i, of which %i are read", (sent, read) => {
    const stream = new Blocks();
    expect(stream.read(crowd(sent))).toEqual(read < sent ? null : { method: "get" });
    expect(stream.isCrowded).toBe(read < sent);
    expect(stream.table).toHaveLength(1 + read);
    expect(stream.read(crowd(20))).toEqual({ method: "get" });
  });

  it("that are indices are read however many", () => {
    const stream = new Blocks();
    expect(stream.read(`${"84".repeat(16_000)}83`)).toEqual({ method: "post" });
  });
});
