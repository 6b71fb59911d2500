// SPDX-License-Identifier: AGPL-3.0-or-later
// Generators of DNS messages that know their structure: right ones, and ones that lie where a decoder might believe.
import fc from "fast-check";
import { type Bytes, bytes, u16, u32 } from "./frames.ts";

/** Bytes of labels; the first bytes are length, upper case, dot, backslash, control and high bytes too. */
const labelByte = fc.oneof(
  fc.integer({ min: 0x61, max: 0x7a }),
  fc.constantFrom(0, 1, 0x2e, 0x41, 0x5a, 0x5c, 0xc0, 0xff),
);
const label = fc
  .array(labelByte, { minLength: 1, maxLength: 63 })
  .map((letters) => Uint8Array.from(letters));

/** Labels of a name that fits. */
export const labels = fc
  .array(label, { maxLength: 12 })
  .filter((list) => list.reduce((sum, one) => sum + one.length + 1, 1) <= 255);

function wireName(list: readonly Uint8Array[]): Bytes {
  return bytes(...list.map((one) => bytes(one.length, one)), 0);
}

const pointer = fc.oneof(fc.integer({ min: 0, max: 80 }), fc.integer({ min: 0, max: 0x3fff }));

/** A name of labels, pointers to anywhere (itself and ahead among them), and lengths that no label has. */
const hostileName = fc
  .tuple(
    fc.array(label, { maxLength: 4 }),
    fc.oneof(
      fc.constant(Uint8Array.of(0)),
      pointer.map((target) => u16(0xc000 | target)),
      fc.constantFrom(0x40, 0x80, 0xbf).map((length) => Uint8Array.of(length)),
      fc.constant(new Uint8Array(0)),
    ),
  )
  .map(([list, end]) => bytes(wireName(list).subarray(0, -1), end));

const type = fc.oneof(
  fc.constantFrom(1, 2, 5, 10, 12, 15, 16, 28, 33, 41, 46, 65, 255),
  fc.integer({ min: 0, max: 0xffff }),
);

const question = fc.tuple(hostileName, type).map(([name, own]) => bytes(name, u16(own), u16(1)));

/** `lie` is added to the length of the data. */
const record = fc
  .record({
    name: hostileName,
    type,
    data: fc.uint8Array({ maxLength: 40 }),
    lie: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.constantFrom(-1, 1, 11, 0xffff)),
  })
  .map((one) =>
    bytes(
      one.name,
      u16(one.type),
      u16(1232),
      u32(0x8000),
      u16(one.data.length + one.lie),
      one.data,
    ),
  );

/** How many there are, or a number that has nothing to do with it. */
function count(real: number): fc.Arbitrary<number> {
  return fc.oneof({ weight: 4, arbitrary: fc.constant(real) }, fc.constantFrom(0, 1, 255, 0xffff));
}

/** A message that may lie about everything. */
export const hostileMessage: fc.Arbitrary<Bytes> = fc
  .record({
    id: fc.integer({ min: 0, max: 0xffff }),
    flags: fc.oneof(fc.constantFrom(0x0100, 0x8180, 0x8183, 0x8380), fc.nat(0xffff)),
    questions: fc.array(question, { maxLength: 3 }),
    records: fc.array(record, { maxLength: 6 }),
    cut: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, fc.double({ min: 0, max: 1 })),
  })
  .chain((parts) =>
    fc
      .tuple(count(parts.questions.length), count(parts.records.length), count(0), count(0))
      .map((counts) => {
        const header = bytes(u16(parts.id), u16(parts.flags), ...counts.map(u16));
        const whole = bytes(header, ...parts.questions, ...parts.records);
        return whole.subarray(0, Math.round(whole.length * (parts.cut || 0)));
      }),
  );

/** A query as any resolver sends it, for the name of these labels. */
export function plainQuery(list: readonly Uint8Array[], queryType: number): Bytes {
  const header = bytes(u16(7), u16(0x0100), u16(1), u16(0), u16(0), u16(0));
  return bytes(header, wireName(list), u16(queryType), u16(1));
}
