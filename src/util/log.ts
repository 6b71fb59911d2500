// SPDX-License-Identifier: AGPL-3.0-or-later
import { type Logger, pino, stdTimeFunctions } from "pino";

/** The logger every stage is handed; a child names the stage. Messages are static, data goes in the object. */
export type Log = Pick<Logger, "debug" | "info" | "warn" | "error" | "child">;

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const LOG_FORMATS = ["json", "logfmt", "pretty"] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** Where finished lines go, each with its LF. */
export interface LogTarget {
  write(line: string): unknown;
}

/** One line an entry: `json` for machines, `logfmt` for Prometheus habits, `pretty` for a terminal. */
export function createLog(options: {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Default: standard error. */
  readonly target?: LogTarget;
}): Log {
  const { level, format, target = process.stderr } = options;
  const rewrite = FORMATS[format];

  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => void target.write(rewrite(line)) },
  );
}

const FORMATS: Readonly<Record<LogFormat, (line: string) => string>> = {
  json: (line) => line,
  logfmt: (line) => `${fieldsOf(entryOf(line))}\n`,
  pretty: (line) => {
    const { time, level, msg, ...data } = entryOf(line);
    const fields = fieldsOf(data);
    const clock = String(time).slice(11, 23);
    return `${clock} ${String(level).toUpperCase().padEnd(5)} ${msg ?? ""}${fields === "" ? "" : `  ${fields}`}\n`;
  },
};

function entryOf(line: string): Record<string, unknown> {
  // pino wrote the line a moment ago: it is one JSON object.
  return JSON.parse(line) as Record<string, unknown>;
}

/** `key=value` pairs, quoted where a reader could not tell where the value ends; inert on a terminal. */
function fieldsOf(entry: Record<string, unknown>): string {
  return Object.entries(entry)
    .map(([key, value]) => {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      return `${key}=${/^[!#-<>-[\]-~]+$/.test(text) ? text : escapeControls(JSON.stringify(text))}`;
    })
    .join(" ");
}

/** Control and direction characters that JSON leaves as they are. */
function escapeControls(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
