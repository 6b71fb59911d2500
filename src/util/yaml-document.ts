// SPDX-License-Identifier: AGPL-3.0-or-later
import { readFileSync, statSync } from "node:fs";
import {
  constructFromEvents,
  EVENT_ID,
  type Event,
  type EventId,
  getScalarValue,
  parseEvents,
  YAMLException,
} from "js-yaml";
import { messageOf, NamError } from "./errors.ts";

type Path = readonly (string | number)[];

/** A parsed file that remembers where each of its values stands. */
export interface YamlDocument {
  /** Plain data; null for an empty file. */
  readonly value: unknown;
  /** Line (from 1) of the value at `path`, or of the closest part of the file around it. */
  lineOf(path: Path): number;
}

/** A configuration beyond this size is a mistake, e.g. the path of a capture file. */
const SIZE_LIMIT_BYTES = 1024 * 1024;
const ALIAS_LIMIT = 64;
const DEPTH_LIMIT = 32;

/** Throws CONFIG_READ when the file cannot be read, CONFIG_INVALID when it is not YAML. */
export function readYamlFile(path: string): YamlDocument {
  return parseYaml(readText(path), path);
}

/**
 * Parses one YAML 1.2 document: plain data only, no tags beyond the core schema, duplicate keys are errors, depth and
 * aliases are bounded. `name` is the file's name in messages. Throws CONFIG_INVALID.
 */
export function parseYaml(text: string, name: string): YamlDocument {
  try {
    const events = parseEvents(text, { maxDepth: DEPTH_LIMIT });
    const documents = constructFromEvents(events, { source: text, maxAliases: ALIAS_LIMIT });
    if (documents.length > 1) {
      throw new YAMLException("the file holds more than one document; only one is expected");
    }
    const lines = locate(text, events);
    return { value: documents[0] ?? null, lineOf: (path) => closest(lines, path) };
  } catch (error) {
    throw new NamError("CONFIG_INVALID", `${name}${describe(error)}`, error);
  }
}

function readText(path: string): string {
  try {
    const { size } = statSync(path);
    if (size > SIZE_LIMIT_BYTES) {
      throw new NamError(
        "CONFIG_INVALID",
        `${path} has ${size} bytes: too large for a configuration`,
      );
    }
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof NamError) throw error;
    throw new NamError(
      "CONFIG_READ",
      `cannot read ${path}: ${messageOf(error)}; check the path and its permissions`,
      error,
    );
  }
}

function describe(error: unknown): string {
  if (!(error instanceof YAMLException)) return `: ${messageOf(error)}`;
  return `${error.mark ? `:${error.mark.line + 1}` : ""}: not valid YAML: ${error.reason}`;
}

/** What is being read. A mapping waits for a key or, when `key` is set, for its value. */
interface Open {
  readonly path: Path;
  readonly kind: "document" | "mapping" | "sequence";
  key: string | null;
  length: number;
}

const KINDS: ReadonlyMap<EventId, Open["kind"]> = new Map<EventId, Open["kind"]>([
  [EVENT_ID.DOCUMENT, "document"],
  [EVENT_ID.MAPPING, "mapping"],
  [EVENT_ID.SEQUENCE, "sequence"],
]);

/** Line of every key and list item, by the JSON form of its path. */
function locate(text: string, events: readonly Event[]): Map<string, number> {
  const lines = new Map<string, number>();
  const lineAt = lineCounter(text);
  const stack: Open[] = [];
  for (const event of events) {
    if (event.type === EVENT_ID.POP) {
      stack.pop();
      continue;
    }
    const parent = stack.at(-1);
    if (parent?.kind === "mapping" && parent.key === null && event.type === EVENT_ID.SCALAR) {
      parent.key = getScalarValue(text, event);
      const path = JSON.stringify([...parent.path, parent.key]);
      if (!lines.has(path)) lines.set(path, lineAt(event.valueStart));
      continue;
    }
    const path = pathOfValue(parent);
    if (parent?.kind === "sequence") lines.set(JSON.stringify(path), lineAt(startOf(event)));
    const kind = KINDS.get(event.type);
    if (kind) stack.push({ path, kind, key: null, length: 0 });
  }
  return lines;
}

function pathOfValue(parent: Open | undefined): Path {
  if (!parent || parent.kind === "document") return [];
  if (parent.kind === "sequence") return [...parent.path, parent.length++];
  const path = parent.key === null ? parent.path : [...parent.path, parent.key];
  parent.key = null;
  return path;
}

function startOf(event: Exclude<Event, { type: typeof EVENT_ID.POP }>): number {
  if (event.type === EVENT_ID.DOCUMENT) return 0;
  if (event.type === EVENT_ID.SCALAR) return event.valueStart;
  return event.type === EVENT_ID.ALIAS ? event.anchorStart : event.start;
}

/** Turns growing offsets into line numbers. */
function lineCounter(text: string): (offset: number) => number {
  let line = 1;
  let at = 0;
  return (offset) => {
    for (; at < offset; at++) if (text[at] === "\n") line++;
    return line;
  };
}

function closest(lines: ReadonlyMap<string, number>, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const line = lines.get(JSON.stringify(path.slice(0, length)));
    if (line !== undefined) return line;
  }
  return 1;
}
