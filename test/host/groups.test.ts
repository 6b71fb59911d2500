// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { groupName, ProcessGroups } from "../../src/host/groups.ts";
import type { ProcessUse } from "../../src/host/process-use.ts";

const MEMORY = 8e9;

function use(name: string, cpuRatio = 0, memoryBytes = 1e6): ProcessUse {
  return { name, cpuRatio, memoryBytes };
}

describe("group names", () => {
  it.each([
    ["nginx", "nginx"],
    ["worker-12", "worker"],
    ["postgres: 4711", "postgres"],
    ["python3.11", "python3"],
    ["php-fpm8.2", "php-fpm8"],
    ["(sd-pam)", "sd-pam"],
    ["Web Content", "Web_Content"],
    ['a"b\\c\nd{e="f"}', "a_b_c_d_e_f"],
    ["é漢字", ""],
    ["4711", "4711"],
    ["x".repeat(500), "x".repeat(32)],
  ])("%j is %j", (name, expected) => {
    expect(groupName(name)).toBe(expected);
  });
});

describe("process groups", () => {
  it("sum processes of one name, most CPU first and the rest last", () => {
    const groups = new ProcessGroups(2).group(
      [
        use("small", 0.001),
        use("node", 0.2, 3e8),
        use("worker-1", 0.25, 1e8),
        use("worker-2", 0.25, 1e8),
        use("tiny"),
      ],
      MEMORY,
      0,
    );
    expect(groups).toEqual([
      { name: "worker", cpuRatio: 0.5, memoryBytes: 2e8, processes: 2 },
      { name: "node", cpuRatio: 0.2, memoryBytes: 3e8, processes: 1 },
      { name: "other", cpuRatio: 0.001, memoryBytes: 2e6, processes: 2 },
    ]);
  });

  it("count memory as much as CPU", () => {
    const [first] = new ProcessGroups(1).group(
      [use("busy", 0.3, 0), use("large", 0, 0.5 * MEMORY)],
      MEMORY,
      0,
    );
    expect(first?.name).toBe("large");
  });

  it("keep their places unless clearly outdone", () => {
    const groups = new ProcessGroups(1);
    const top = (a: number, b: number): string | undefined =>
      groups.group([use("a", a), use("b", b)], MEMORY, 0)[0]?.name;
    expect([top(0.3, 0.2), top(0.2, 0.3), top(0.1, 0.3)]).toEqual(["a", "a", "b"]);
  });

  it("never call a process other, nor a name that is nothing", () => {
    const groups = new ProcessGroups(5).group([use("other", 0.9), use("漢", 0.5)], MEMORY, 0);
    expect(groups).toEqual([{ name: "other", cpuRatio: 1.4, memoryBytes: 2e6, processes: 2 }]);
  });

  it("lend no more than 100 names an hour, whatever programs are called", () => {
    const groups = new ProcessGroups(10);
    const seen = new Set<string>();
    const look = (round: number, nowMs: number): void => {
      const processes = Array.from({ length: 10 }, (_, at) => use(`job${round}x${at}`, 0.1));
      for (const { name } of groups.group(processes, MEMORY, nowMs)) seen.add(name);
    };
    for (let round = 0; round < 50; round++) look(round, round * 5000);
    expect(seen.size).toBe(101);
    look(99, 4 * 3_600_000);
    expect(seen.size).toBe(111);
  });
});
