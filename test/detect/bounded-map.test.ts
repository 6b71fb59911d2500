// SPDX-License-Identifier: AGPL-3.0-or-later
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BoundedMap } from "../../src/detect/bounded-map.ts";

const CAPACITY = 4;

/** The same promise, kept as simply as can be. */
class Model {
  order: string[] = [];

  use(key: string): void {
    this.delete(key);
    if (this.order.length >= CAPACITY) this.order.shift();
    this.order.push(key);
  }

  delete(key: string): void {
    this.order = this.order.filter((other) => other !== key);
  }
}

describe("a bounded map", () => {
  it("forgets the least recently used entity first, whatever is used and deleted", () => {
    const step = fc.tuple(fc.constantFrom("use", "delete", "peek"), fc.constantFrom(..."abcdefg"));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const map = new BoundedMap<string>(CAPACITY);
        const model = new Model();
        for (const [what, key] of steps) {
          if (what === "use") {
            expect(map.use(key, () => `state of ${key}`)).toBe(`state of ${key}`);
            model.use(key);
          } else if (what === "delete") {
            map.delete(key);
            model.delete(key);
          } else {
            expect(map.peek(key) !== undefined).toBe(model.order.includes(key));
          }
          expect([...map.entries()].map(([known]) => known)).toEqual(model.order);
        }
      }),
    );
  });

  it("lets each entity be deleted while they are gone through", () => {
    const map = new BoundedMap<number>(CAPACITY);
    for (const key of "abcd") map.use(key, () => 1);
    for (const [key] of map.entries()) if (key !== "c") map.delete(key);
    expect([...map.entries()]).toEqual([["c", 1]]);
  });
});
