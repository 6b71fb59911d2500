// SPDX-License-Identifier: AGPL-3.0-or-later
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonPieces, memberPieces } from "../../src/util/json-pieces.ts";

const textOf = (value: unknown): string => [...jsonPieces(value)].join("");

describe("pieces of JSON", () => {
  it("are together what JSON.stringify says, whatever the data", () => {
    fc.assert(
      fc.property(fc.object({ values: [fc.jsonValue(), fc.constant(undefined)] }), (value) => {
        expect(textOf(value)).toBe(JSON.stringify(value));
      }),
    );
    for (const value of [null, 1, "a", [], {}, [[]], { a: undefined }, [undefined, Number.NaN]]) {
      expect(textOf(value)).toBe(JSON.stringify(value));
    }
  });

  it.each([255, 256, 257, 512, 513, 70_000])("are short for a list of %d", (length) => {
    const list = Array.from({ length }, (_, at) => [`key ${at}`, { at }]);
    const pieces = [...jsonPieces({ list })];
    expect(pieces.join("")).toBe(JSON.stringify({ list }));
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(256 * 30);
  });

  it("ask for a member when its turn comes", () => {
    const asked: string[] = [];
    function* members(): Generator<[string, number]> {
      for (const name of ["a", "b"]) {
        asked.push(name);
        yield [name, 1];
      }
    }
    const pieces = memberPieces(members());
    expect(pieces.next().value).toBe('{"a":');
    expect(asked).toEqual(["a"]);
    expect([...pieces].join("")).toBe('1,"b":1}');
  });
});
