// SPDX-License-Identifier: AGPL-3.0-or-later
import { u8 } from "../../util/typed.ts";
import { METHODS } from "../http-line.ts";
import { ascii } from "../text-line.ts";
import { fourBytes } from "../wire-text.ts";
import { WordTable } from "../word-table.ts";
import { Kind, Protocol } from "./kinds.ts";

/** What a path asks of a server, of those that agents and language models are reached by. */
export interface AgentPath {
  /** The path's end, or its beginning where it ends in a slash; ACP's are the whole path. */
  readonly text: string;
  readonly protocol: number;
  readonly kind: number;
  /** Position in METHODS. */
  readonly method: number;
}

const GET = METHODS.indexOf("get");
const POST = METHODS.indexOf("post");
const DELETE = METHODS.indexOf("delete");
const { OPENAI, ANTHROPIC, OLLAMA, A2A, ACP } = Protocol;
const { DISCOVER, LIST, CALL, STREAM, OTHER } = Kind;

const rows = (
  protocol: number,
  method: number,
  kind: number,
  ...texts: readonly string[]
): AgentPath[] => texts.map((text) => ({ text, protocol, kind, method }));

/**
 * https://platform.openai.com/docs/api-reference, https://docs.anthropic.com/en/api, Ollama's docs/api.md, A2A 0.3 and 1.0
 * §11, and ACP's openapi.yaml. A path's number is its place here plus one.
 */
export const AGENT_PATHS: readonly AgentPath[] = [
  ...rows(OPENAI, POST, CALL, "/chat/completions", "/v1/completions"),
  ...rows(OPENAI, POST, CALL, "/v1/responses", "/v1/embeddings"),
  ...rows(OPENAI, GET, LIST, "/v1/models"),
  ...rows(OPENAI, GET, STREAM, "/v1/realtime", "/openai/realtime"),
  ...rows(ANTHROPIC, POST, CALL, "/v1/messages"),
  ...rows(OLLAMA, POST, CALL, "/api/generate", "/api/chat", "/api/embed", "/api/embeddings"),
  ...rows(OLLAMA, GET, LIST, "/api/tags", "/api/ps"),
  ...rows(OLLAMA, POST, DISCOVER, "/api/show"),
  ...rows(OLLAMA, GET, OTHER, "/api/version"),
  ...rows(OLLAMA, POST, OTHER, "/api/pull", "/api/push", "/api/create", "/api/copy"),
  ...rows(OLLAMA, DELETE, OTHER, "/api/delete"),
  ...rows(A2A, GET, DISCOVER, "/.well-known/agent-card.json", "/.well-known/agent.json"),
  ...rows(A2A, POST, CALL, "/message:send"),
  ...rows(A2A, POST, STREAM, "/message:stream"),
  ...rows(ACP, GET, OTHER, "/ping"),
  ...rows(ACP, GET, LIST, "/agents"),
  ...rows(ACP, GET, DISCOVER, "/agents/"),
  ...rows(ACP, POST, CALL, "/runs"),
  ...rows(ACP, GET, OTHER, "/runs/", "/session/"),
];

/** The four parts of ACP, of which a server has to answer two. */
export const ACP_ROOTS = ["/ping", "/agents", "/runs", "/session"] as const;
const ROOT_BITS = Uint8Array.from([
  0,
  ...AGENT_PATHS.map(({ text, protocol }) =>
    protocol === ACP ? 1 << ACP_ROOTS.findIndex((root) => text.startsWith(root)) : 0,
  ),
]);

interface Choice {
  readonly number: number;
  readonly bytes: Uint8Array;
}

const choices = AGENT_PATHS.map(({ text }, at) => ({ number: at + 1, bytes: ascii(text), text }));
const isBeginning = ({ text }: { text: string }): boolean => text.endsWith("/");
const beginWords = [...new Set(choices.filter(isBeginning).map(({ text }) => text.slice(0, 4)))];
const endWords = [
  ...new Set(choices.filter((one) => !isBeginning(one)).map(({ text }) => text.slice(-4))),
];
const begins = beginWords.map((word) =>
  choices.filter((one) => isBeginning(one) && one.text.startsWith(word)),
);
const ends = endWords.map((word) =>
  choices.filter((one) => !isBeginning(one) && one.text.endsWith(word)),
);
const BEGIN_TABLE = new WordTable(beginWords);
const END_TABLE = new WordTable(endWords);

/** Paths that begin so, and URLs as proxies are asked for them, are looked through for a query, which would hide their end. */
const QUERIED = [
  ...["/v1/", "/api", "/ope", "/cha", "/age", "/run", "/ses", "/pin", "/.we", "/mes"],
  "http",
];
/** 1 for the two characters behind a path's first slash, and for its last two, with which one of interest may begin or end. */
const BEGINNINGS = pairsOf([...beginWords, ...QUERIED].map((word) => word.slice(1, 3)));
const ENDINGS = pairsOf(endWords.map((word) => word.slice(2)));
/** The shortest path of interest has five characters. */
const SHORTEST = 5;
/** `HTTP/1.1` with the space before it. */
const VERSION_LENGTH = 9;
const HTTP = fourBytes("HTTP");
const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const SLASH = 0x2f;
const QUESTION = 0x3f;

/**
 * Number of the path that the request line's target at `at` has, 0 for any other. `end`: behind the line as far as it is
 * there. Its first and last two characters decide that it is another one, whatever its length.
 */
export function pathAt(view: DataView, at: number, end: number): number {
  const to = targetEnd(view, at, end);
  if (to - at < SHORTEST) return 0;
  const mayBegin = u8(BEGINNINGS, view.getUint16(at + 1)) !== 0;
  if (!mayBegin && u8(ENDINGS, view.getUint16(to - 2)) === 0) return 0;
  return find(view, at, mayBegin ? queryAt(view, at, to) : to);
}

function find(view: DataView, at: number, end: number): number {
  if (end - at < SHORTEST) return 0;
  const ending = END_TABLE.find(view.getInt32(end - 4));
  const found = ending < 0 ? 0 : ended(view, at, end, ends[ending] as readonly Choice[]);
  if (found > 0) return found;
  const beginning = BEGIN_TABLE.find(view.getInt32(at));
  return beginning < 0 ? 0 : begun(view, at, end, begins[beginning] as readonly Choice[]);
}

/** Bit of the part of ACP that a path belongs to, 0 for other paths. */
export function acpRoot(path: number): number {
  return u8(ROOT_BITS, path);
}

function pairsOf(pairs: readonly string[]): Uint8Array {
  const table = new Uint8Array(0x10000);
  for (const pair of pairs) table[Buffer.from(pair, "latin1").readUInt16BE(0)] = 1;
  return table;
}

function targetEnd(view: DataView, at: number, end: number): number {
  let to = end;
  while (to > at && (view.getUint8(to - 1) === LF || view.getUint8(to - 1) === CR)) to--;
  const from = to - VERSION_LENGTH;
  if (from < at || view.getUint8(from) !== SPACE || view.getInt32(from + 1) !== HTTP) return at;
  return from;
}

function queryAt(view: DataView, at: number, end: number): number {
  for (let i = at; i < end; i++) if (view.getUint8(i) === QUESTION) return i;
  return end;
}

function ended(view: DataView, at: number, end: number, list: readonly Choice[]): number {
  for (let i = 0; i < list.length; i++) {
    const { number, bytes } = list[i] as Choice;
    const from = end - bytes.length;
    if (from < at || !equals(view, from, bytes)) continue;
    // What ends a query is no path.
    if (queryAt(view, at, from) < from) continue;
    if (from === at || acpRoot(number) === 0) return number;
  }
  return 0;
}

/** What begins so and goes on with a name. */
function begun(view: DataView, at: number, end: number, list: readonly Choice[]): number {
  for (let i = 0; i < list.length; i++) {
    const { number, bytes } = list[i] as Choice;
    const from = at + bytes.length;
    if (from >= end || view.getUint8(from) === SLASH) continue;
    if (equals(view, at, bytes)) return number;
  }
  return 0;
}

function equals(view: DataView, at: number, bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (view.getUint8(at + i) !== bytes[i]) return false;
  return true;
}
