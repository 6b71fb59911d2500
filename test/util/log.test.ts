// SPDX-License-Identifier: AGPL-3.0-or-later
import { describe, expect, it } from "vitest";
import { createLog, type LogFormat, type LogLevel } from "../../src/util/log.ts";
import { Secret } from "../../src/util/secret.ts";

function logged(
  format: LogFormat,
  data: Record<string, unknown>,
  message = "it happened",
  level: LogLevel = "debug",
): string {
  const lines: string[] = [];
  createLog({ level, format, target: { write: (line) => lines.push(line) } }).info(data, message);
  return lines.join("");
}

describe("createLog", () => {
  it("writes JSON with time, level and data", () => {
    const entry = JSON.parse(logged("json", { port: 9977 })) as Record<string, unknown>;
    expect(entry).toEqual({
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      port: 9977,
      msg: "it happened",
    });
  });

  it("writes logfmt", () => {
    const line = logged("logfmt", {
      port: 9977,
      name: "two words",
      empty: "",
      list: [1, 2],
      eq: "a=b",
    });
    expect(line).toMatch(
      /^level=info time=\S+Z port=9977 name="two words" empty="" list=\[1,2\] eq="a=b" msg="it happened"\n$/,
    );
  });

  it("writes for people", () => {
    expect(logged("pretty", { port: 9977 })).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} INFO {2}it happened {2}port=9977\n$/,
    );
    expect(logged("pretty", {})).toMatch(/INFO {2}it happened\n$/);
  });

  it("keeps its level", () => {
    expect(logged("json", {}, "quiet", "warn")).toBe("");
    expect(logged("json", {}, "quiet", "silent")).toBe("");
  });

  it.each(["logfmt", "pretty"] as const)(
    "lets nothing reach the terminal as a command: %s",
    (format) => {
      const hostile = "\u001b[31m\u009b1m\u202egnp\r\nlevel=error";
      const line = logged(format, { name: hostile });
      expect(line.slice(0, -1)).not.toMatch(/\p{C}/u);
      expect(line).toContain("\\u009b");
    },
  );

  it.each(["json", "logfmt", "pretty"] as const)("hides secrets: %s", (format) => {
    expect(logged(format, { url: new Secret("hunter2") })).toContain("<secret>");
    expect(logged(format, { url: new Secret("hunter2") })).not.toContain("hunter2");
  });

  it("hands its fields to children", () => {
    const lines: string[] = [];
    const log = createLog({
      level: "info",
      format: "json",
      target: { write: (line) => lines.push(line) },
    });
    log.child({ stage: "flow" }).warn("late");
    expect(JSON.parse(lines.join(""))).toMatchObject({ level: "warn", stage: "flow", msg: "late" });
  });
});
