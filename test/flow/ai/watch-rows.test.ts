// SPDX-License-Identifier: AGPL-3.0-or-later
// Rows of watched flows, against a list in the order of the last touch.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WATCHED, WatchRows } from "../../../src/flow/ai/watch-rows.ts";

const SLOTS = 32_768;

describe("rows of watched flows", () => {
  it("go to the flow that was not touched for longest when all are taken", () => {
    const rows = new WatchRows(SLOTS);
    for (let slot = 0; slot < WATCHED; slot++) rows.begin(slot);
    expect(rows.size).toBe(WATCHED);
    rows.touch(rows.find(0));
    expect(rows.slot(rows.next())).toBe(1);
    rows.begin(WATCHED);
    expect([rows.find(0) >= 0, rows.find(1), rows.size]).toEqual([true, -1, WATCHED]);
  });

  it("are the model's after any beginnings, touches and ends", () => {
    const action = fc.tuple(fc.constantFrom("begin", "touch", "end"), fc.nat(9));
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const rows = new WatchRows(SLOTS);
        // All but four rows are taken by flows that nobody touches again, so that there is want of room.
        for (let slot = 100; slot < 100 + WATCHED - 4; slot++) rows.begin(slot);
        const model: number[] = Array.from({ length: WATCHED - 4 }, (_, at) => 100 + at);
        for (const [what, slot] of actions) {
          const isWatched = model.includes(slot);
          if (what === "begin" && !isWatched) {
            if (model.length === WATCHED) model.shift();
            rows.begin(slot);
            model.push(slot);
          } else if (what === "touch" && isWatched) {
            rows.touch(rows.find(slot));
            model.push(...model.splice(model.indexOf(slot), 1));
          } else if (what === "end" && isWatched) {
            rows.end(rows.find(slot));
            model.splice(model.indexOf(slot), 1);
          }
          expect(rows.size).toBe(model.length);
          if (model.length === WATCHED) expect(rows.slot(rows.next())).toBe(model[0]);
          else expect(rows.slot(rows.next())).toBe(-1);
        }
        for (let slot = 0; slot < 10; slot++) {
          const row = rows.find(slot);
          expect(row >= 0).toBe(model.includes(slot));
          if (row >= 0) expect(rows.slot(row)).toBe(slot);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("that are free end without harm", () => {
    const rows = new WatchRows(SLOTS);
    rows.end(5);
    rows.touch(rows.begin(1));
    expect(rows.size).toBe(1);
  });
});
