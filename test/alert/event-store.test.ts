// SPDX-License-Identifier: AGPL-3.0-or-later
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EventStore } from "../../src/alert/event-store.ts";
import type { Anomaly } from "../../src/detect/detector.ts";
import { createLog } from "../../src/util/log.ts";
import { anomalyOf } from "../support/anomalies.ts";

const lines: string[] = [];
const log = createLog({
  level: "info",
  format: "json",
  target: { write: (line) => lines.push(line) },
});
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nam-events-"));
  lines.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function numbered(count: number, parts: Partial<Anomaly> = {}): Anomaly[] {
  return Array.from({ length: count }, (_, index) =>
    anomalyOf({ id: `e${index}`, time: index, ...parts }),
  );
}

test("pages lead through every event, newest first, once each", () => {
  const store = new EventStore(null, log);
  store.add(numbered(25));
  const seen: string[] = [];
  let cursor: number | null = null;
  do {
    const page = store.query({ limit: 10, ...(cursor === null ? {} : { cursor }) });
    seen.push(...page.events.map(({ id }) => id));
    cursor = page.next;
    store.add(numbered(1, { id: "arrived-meanwhile" }));
  } while (cursor !== null);
  expect(seen).toEqual(Array.from({ length: 25 }, (_, index) => `e${24 - index}`));
});

test("filters by severity and above, detector, state, time and part of the entity", () => {
  const store = new EventStore(null, log);
  store.add([
    anomalyOf({ id: "a", severity: "info", time: 1, detector: "x" }),
    anomalyOf({ id: "b", severity: "critical", time: 2, detector: "y", state: "resolved" }),
    anomalyOf({
      id: "c",
      severity: "warning",
      time: 3,
      detector: "x",
      entity: { kind: "source", key: "10.9.8.7" },
    }),
  ]);
  const ids = (query: object): string[] =>
    store.query({ limit: 10, ...query }).events.map(({ id }) => id);
  expect(ids({ severity: "warning" })).toEqual(["c", "b"]);
  expect(ids({ detector: "x" })).toEqual(["c", "a"]);
  expect(ids({ state: "resolved" })).toEqual(["b"]);
  expect(ids({ since: 2, until: 2 })).toEqual(["b"]);
  expect(ids({ entity: "9.8" })).toEqual(["c"]);
});

test("events outlive the process, whatever a crash left at the end of the file", () => {
  new EventStore(folder, log).add(numbered(3));
  appendFileSync(join(folder, "events.ndjson"), '{"id":"half\n{"id":5}\nnull\n');
  const events = new EventStore(folder, log).query({ limit: 10 }).events;
  expect(events.map(({ id }) => id)).toEqual(["e2", "e1", "e0"]);
});

test("the file is turned over before it grows without end", () => {
  writeFileSync(join(folder, "events.ndjson"), "\n".repeat(10 * 1024 * 1024 + 1));
  const store = new EventStore(folder, log);
  store.add(numbered(1));
  expect(statSync(join(folder, "events.ndjson")).size).toBeLessThan(5_000);
  expect(statSync(join(folder, "events.1.ndjson")).size).toBeGreaterThan(10 * 1024 * 1024);
});

test("a disk that fails is said once, and events are still answered", () => {
  const store = new EventStore(folder, log);
  rmSync(folder, { recursive: true });
  store.add(numbered(1));
  store.add(numbered(1));
  expect(lines.filter((line) => line.includes("cannot be stored"))).toHaveLength(1);
  expect(store.query({ limit: 10 }).events).toHaveLength(2);
});

test("a storage path that is a file is an error that says what to do", () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  expect(() => new EventStore(file, log)).toThrow(/storage path .*--storage\.path/);
  expect(readFileSync(file, "utf8")).toBe("");
});
