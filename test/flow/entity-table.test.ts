// SPDX-License-Identifier: AGPL-3.0-or-later
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EntityTable, type EntityTableOptions } from "../../src/flow/sketch/entity-table.ts";

const MINUTE = 60_000;

function createTable(options: Partial<EntityTableOptions> = {}) {
  const evictions = { count: 0 };
  const table = new EntityTable({
    ...{ capacity: 64, keyWords: 2, windowWords: 1, lifeWords: 1, sketchBytes: 4 },
    ...{ idleMs: 30 * MINUTE, hashSeed: 3 },
    evicted: (count) => {
      evictions.count += count;
    },
    ...options,
  });
  const claim = (first: number, second: number, timeMs: number): number => {
    table.key[0] = first;
    table.key[1] = second;
    return table.claim(timeMs);
  };
  /** Whether an entity is held; it is afterwards. */
  const isHeld = (first: number, second: number, timeMs: number): boolean => {
    claim(first, second, timeMs);
    return !table.isNew;
  };
  return { table, evictions, claim, isHeld };
}

describe("EntityTable", () => {
  it("holds an entity under its whole key", () => {
    const { table, claim, isHeld } = createTable();
    const slot = claim(1, 2, 0);
    expect(table.isNew).toBe(true);
    expect(claim(1, 2, 5)).toBe(slot);
    expect(table.isNew).toBe(false);
    expect(table.size).toBe(1);
    expect(isHeld(2, 1, 5)).toBe(false);
    expect([table.keyWord(slot, 0), table.keyWord(slot, 1)]).toEqual([1, 2]);
    expect([table.firstMs(slot), table.lastMs(slot)]).toEqual([0, 5]);
  });

  it("starts window words over with each window, life words and sketches never", () => {
    const { table, claim } = createTable();
    const slot = claim(1, 2, 0);
    const row = table.row(slot);
    table.rows.set([5, 6], row);
    table.sketches[table.sketch(slot)] = 7;
    claim(1, 2, 1);
    expect([...table.rows.subarray(row, row + 2)]).toEqual([5, 6]);
    table.endWindow(1000);
    claim(1, 2, 1001);
    expect([...table.rows.subarray(row, row + 2)]).toEqual([0, 6]);
    expect(table.sketches[table.sketch(slot)]).toBe(7);
  });

  it("gives a new entity in an old place nothing of the old one", () => {
    const { table, claim } = createTable({ capacity: 8 });
    for (let i = 0; i < 8; i++) {
      const slot = claim(i, 0, 0);
      table.rows.set([9, 9], table.row(slot));
      table.sketches.fill(9, table.sketch(slot), table.sketch(slot + 1));
    }
    const slot = claim(100, 0, 1);
    expect([...table.rows.subarray(table.row(slot), table.row(slot) + 2)]).toEqual([0, 0]);
    expect([...table.sketches.subarray(table.sketch(slot), table.sketch(slot + 1))]).toEqual([
      0, 0, 0, 0,
    ]);
  });

  it("drops the lightest first, and of equals the one silent for longest", () => {
    const { table, evictions, claim, isHeld } = createTable({ capacity: 8 });
    const slots = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => claim(i, 0, i));
    for (const [i, slot] of slots.entries()) table.weigh(slot, i === 0 ? 0 : 10);
    expect(claim(8, 0, 10)).toBe(slots[0]);
    table.weigh(slots[0] ?? 0, 10);
    expect(claim(9, 0, 11)).toBe(slots[1]);
    expect(evictions.count).toBe(2);
    expect(table.size).toBe(8);
    expect(isHeld(8, 0, 12)).toBe(true);
    expect(isHeld(0, 0, 12)).toBe(false);
  });

  it("lets weight fade with silence", () => {
    const { table, claim } = createTable({ capacity: 8 });
    const faded = claim(0, 0, 0);
    table.weigh(faded, 10);
    for (let i = 1; i < 8; i++) table.weigh(claim(i, 0, 20 * MINUTE), 2);
    expect(claim(8, 0, 20 * MINUTE)).toBe(faded);
  });

  it("forgets each of several when its own silence is long enough, window after window", () => {
    const { table, claim } = createTable();
    claim(3, 3, 5 * MINUTE);
    // Told late, of a time before the others.
    claim(1, 1, MINUTE);
    claim(2, 2, 10 * MINUTE);
    const sizes = Array.from({ length: 45 }, (_, minute) => {
      table.endWindow(minute * MINUTE);
      return table.size;
    });
    const expected = [...Array(32).fill(3), ...Array(4).fill(2), ...Array(5).fill(1)];
    expect(sizes).toEqual([...expected, 0, 0, 0, 0]);
  });

  it("forgets who was silent for longer than allowed", () => {
    const { table, claim, isHeld } = createTable();
    claim(1, 0, 0);
    claim(2, 0, 20 * MINUTE);
    table.endWindow(30 * MINUTE);
    expect(table.size).toBe(2);
    table.endWindow(31 * MINUTE);
    expect(table.size).toBe(1);
    expect(isHeld(2, 0, 31 * MINUTE)).toBe(true);
    expect(isHeld(1, 0, 31 * MINUTE)).toBe(false);
    table.clear();
    expect(table.size).toBe(0);
    expect(isHeld(2, 0, 31 * MINUTE)).toBe(false);
  });

  it("ranks the entities of this window", () => {
    const { table, claim } = createTable();
    const slots = [3, 0, 7, 7, 1].map((score, i) => {
      const slot = claim(i, i, 0);
      table.rows[table.row(slot)] = score;
      return slot;
    });
    const score = (slot: number): number => table.rows[table.row(slot)] ?? 0;
    const [s0, , s2, s3] = slots as [number, number, number, number, number];
    expect(table.best(3, score)).toEqual([Math.min(s2, s3), Math.max(s2, s3), s0]);
    expect(table.best(9, score)).toHaveLength(4);
    table.endWindow(1);
    expect(table.best(9, score)).toEqual([]);
  });

  it("keeps count of what it holds and what it dropped, within its capacity", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(60), fc.nat(5), fc.nat(10 * MINUTE), fc.boolean())),
        (steps) => {
          const { table, evictions, claim } = createTable({ capacity: 16, lifeWords: 2 });
          const seen = new Map<number, number>();
          let nowMs = 0;
          let begun = 0;
          let forgotten = 0;
          for (const [key, weight, waitMs, ends] of steps) {
            nowMs += waitMs;
            const slot = claim(key, key, nowMs);
            if (table.isNew) begun++;
            const life = table.row(slot) + 1;
            // The row says whose it is: it was never handed to two entities at once.
            if (!table.isNew) expect(table.rows[life]).toBe(key + 1);
            expect(table.rows[life + 1]).toBe(table.isNew ? 0 : seen.get(key));
            table.rows[life] = key + 1;
            table.rows[life + 1] = weight;
            seen.set(key, weight);
            table.weigh(slot, weight);
            if (!ends) continue;
            const before = table.size;
            table.endWindow(nowMs);
            forgotten += before - table.size;
          }
          expect(table.size).toBe(begun - evictions.count - forgotten);
          expect(table.size).toBeLessThanOrEqual(16);
        },
      ),
      { numRuns: 200 },
    );
  });
});
