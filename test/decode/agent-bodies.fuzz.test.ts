// SPDX-License-Identifier: AGPL-3.0-or-later
// The reader of JSON bodies against JSON.parse, in any pieces; and any bytes at all, which it survives within its bounds.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { valueHash } from "../../src/decode/agents/encoded-value.ts";
import { EventLines } from "../../src/decode/agents/event-lines.ts";
import {
  JsonMembers,
  type MemberSink,
  Take,
  WINDOW_BYTES,
} from "../../src/decode/agents/json-members.ts";
import { textHash } from "../../src/decode/agents/text-hash.ts";

const RUNS = 3000;
const METHOD = textHash("method");
const PARAMS = textHash("params");
const PLACE = 3;

/** Notes what it is told: keys of messages, texts of methods, and texts of what stands in params. */
class Notes implements MemberSink {
  readonly keys: number[] = [];
  readonly methods: number[] = [];
  readonly inner: number[] = [];
  ends = 0;

  key(place: number, level: number, key: number): number {
    expect(place).toBe(PLACE);
    if (level === 0) this.keys.push(key);
    if (level === 1 || key === METHOD) return Take.READ;
    return key === PARAMS ? Take.ENTER : Take.SKIP;
  }

  value(_: number, level: number, key: number, text: number): boolean {
    if (level === 1) this.inner.push(key, text);
    else this.methods.push(text);
    return true;
  }

  end(): boolean {
    this.ends++;
    return true;
  }
}

function read(body: Uint8Array, cuts: readonly number[]): Notes {
  const notes = new Notes();
  const members = new JsonMembers(8, notes);
  members.start(PLACE);
  for (const [from, to] of piecesOf(body.length, cuts)) {
    // Each piece in memory of its own, so that nothing is read beyond it.
    const piece = Uint8Array.from(body.subarray(from, to));
    members.read(new DataView(piece.buffer), 0, piece.length, PLACE);
  }
  return notes;
}

function piecesOf(length: number, cuts: readonly number[]): [number, number][] {
  const at = [0, ...cuts.map((cut) => cut % (length + 1)).sort((a, b) => a - b), length];
  return at.slice(1).map((to, index) => [at[index] ?? 0, to]);
}

/** A hash as it is told: 0 stands for an object. */
function told(text: unknown): number[] {
  if (typeof text === "string") return [textHash(text) || 1];
  const isObject = typeof text === "object" && text !== null && !Array.isArray(text);
  return isObject ? [0] : [];
}

type Message = Readonly<Record<string, unknown>>;

function expectToRead(notes: Notes, messages: readonly Message[]): void {
  expect(notes.ends).toBe(messages.length);
  expect(notes.keys).toEqual(messages.flatMap((message) => Object.keys(message).map(textHash)));
  expect(notes.methods).toEqual(
    messages.flatMap((message) => ("method" in message ? told(message.method) : [])),
  );
  expect(notes.inner).toEqual(
    messages.flatMap(({ params }) =>
      typeof params === "object" && params !== null && !Array.isArray(params)
        ? Object.entries(params).flatMap(([key, text]) => {
            const [hash] = told(text);
            return hash === undefined ? [] : [textHash(key), hash];
          })
        : [],
    ),
  );
}

/** Any text without lone surrogates, which UTF-8 cannot hold. */
const text = fc.string({ unit: "binary" });
const value = fc.oneof(
  fc.jsonValue({ stringUnit: "binary" }),
  text,
  fc.dictionary(text, fc.jsonValue({ stringUnit: "binary" })),
);
const message = fc.record(
  { jsonrpc: fc.constant("2.0"), id: value, method: value, params: value, other: value },
  { requiredKeys: [] },
);
const cuts = fc.array(fc.nat(5000), { maxLength: 20 });
const spaces = fc.constantFrom(undefined, 2, "\t");

/** Characters of JSON, and the words that matter, so that they come close to messages. */
const shred = fc
  .array(fc.constantFrom(...'{}[]",:\\u0 \n', "method", "params", '"method":"a"', "name", "\xff"))
  .map((parts) => Buffer.from(parts.join(""), "latin1"));

describe("the reader of JSON bodies", () => {
  it("reads messages as JSON.parse does, whatever their form and pieces", () => {
    fc.assert(
      fc.property(message, spaces, fc.boolean(), cuts, (one, space, isEscaped, at) => {
        const plain = JSON.stringify(one, null, space);
        const body = isEscaped ? plain.replace(/[\u0080-\uffff]|\//g, escaped) : plain;
        expectToRead(read(Buffer.from(body), at), [JSON.parse(body) as Message]);
      }),
      { numRuns: RUNS },
    );
  });

  it("reads batches as JSON.parse does", () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), spaces, cuts, (batch, space, at) => {
        const body = JSON.stringify(batch, null, space);
        expectToRead(read(Buffer.from(body), at), JSON.parse(body) as Message[]);
      }),
      { numRuns: RUNS / 3 },
    );
  });

  it("tells the same of any bytes, however they are cut", () => {
    fc.assert(
      fc.property(fc.oneof(shred, fc.uint8Array({ maxLength: 200 })), cuts, (body, at) => {
        expect(read(body, at)).toEqual(read(body, []));
      }),
      { numRuns: RUNS },
    );
  });

  it("reads no more than a window", () => {
    const notes = new Notes();
    const members = new JsonMembers(1, {
      ...notes,
      key: () => Take.SKIP,
      value: () => true,
      end: () => true,
    });
    members.start(0);
    const body = Buffer.from(`{"a":"${"x".repeat(1000)}`);
    const view = new DataView(Uint8Array.from(body).buffer);
    let bytes = 0;
    while (members.read(view, bytes === 0 ? 0 : 7, body.length, 0)) bytes += body.length - 7;
    expect(bytes).toBeLessThan(WINDOW_BYTES);
  });
});

/** As an escape of JSON. */
function escaped(character: string): string {
  if (character === "/") return "\\/";
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

describe("the reader of events", () => {
  it("gives the data of every event as they stand, however they are cut", () => {
    const line = fc.constantFrom(
      "data: a",
      "data:b",
      ": c",
      "event: endpoint",
      "id: 1",
      "data",
      "",
    );
    fc.assert(
      fc.property(fc.array(line), fc.constantFrom("\n", "\r\n"), cuts, (lines, end, at) => {
        const body = Buffer.from(lines.map((one) => one + end).join(""));
        expect(events(body, at)).toEqual(events(body, []));
        const data = lines.filter((one) => one.startsWith("data:")).map((one) => one.slice(-1));
        expect(events(body, at).data.replaceAll("\r", "")).toBe(data.join(""));
      }),
      { numRuns: RUNS },
    );
  });
});

function events(body: Buffer, at: readonly number[]): { data: string; endpoints: number[] } {
  const noted = { data: "", endpoints: [] as number[] };
  const lines = new EventLines(1, {
    data: (view, from, to) => {
      noted.data += Buffer.from(view.buffer, view.byteOffset + from, to - from).toString("latin1");
    },
    event: (_, endpoint) => {
      noted.endpoints.push(endpoint);
      return true;
    },
  });
  lines.start(0);
  for (const [from, to] of piecesOf(body.length, at)) {
    const piece = Uint8Array.from(body.subarray(from, to));
    lines.read(new DataView(piece.buffer), 0, piece.length, 0);
  }
  return noted;
}

describe("values of headers", () => {
  it("are compared as the text that they encode", () => {
    fc.assert(
      fc.property(text, fc.boolean(), (plain, isPadded) => {
        const base64 = Buffer.from(plain).toString("base64");
        const value = `=?base64?${isPadded ? base64 : base64.replace(/=+$/, "")}?=`;
        const view = new DataView(Uint8Array.from(Buffer.from(value)).buffer);
        expect(valueHash(view, 0, view.byteLength)).toBe(textHash(plain));
      }),
      { numRuns: RUNS },
    );
  });

  it("of any bytes are hashed and no more", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.string().map((one) => Buffer.from(`=?base64?${one}?=`)),
        ),
        (bytes) => {
          const view = new DataView(Uint8Array.from(bytes).buffer);
          expect(valueHash(view, 0, view.byteLength)).toBeTypeOf("number");
        },
      ),
      { numRuns: RUNS },
    );
  });
});
