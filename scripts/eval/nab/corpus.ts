// SPDX-License-Identifier: AGPL-3.0-or-later
// The labelled series of the Numenta Anomaly Benchmark, and what its own detectors scored on them.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { ScoredSeries } from "./score.ts";

export interface NabSeries {
  /** Folder and file, as the labels name it. */
  readonly path: string;
  readonly timesMs: readonly number[];
  readonly values: readonly number[];
  readonly windows: ScoredSeries["windows"];
}

/** Every series of the folder, in the order of their names. */
export function readCorpus(folder: string): NabSeries[] {
  const labels = JSON.parse(readFileSync(join(folder, "combined_windows.json"), "utf8")) as Record<
    string,
    [string, string][]
  >;
  const data = join(folder, "data");
  return readdirSync(data)
    .sort()
    .flatMap((group) =>
      readdirSync(join(data, group))
        .sort()
        .map((file) => readSeries(data, `${group}/${file}`, labels[`${group}/${file}`] ?? [])),
    );
}

/** Published scores of one of the benchmark's detectors on a series; null where there are none. */
export function publishedScores(folder: string, detector: string, path: string): number[] | null {
  const [group, file] = path.split("/");
  const results = join(folder, "results", detector, group ?? "", `${detector}_${file}.gz`);
  if (!existsSync(results)) return null;
  const [, ...rows] = gunzipSync(readFileSync(results)).toString().trim().split("\n");
  return rows.map((row) => Number(row.split(",")[2]));
}

function readSeries(data: string, path: string, labels: [string, string][]): NabSeries {
  const [, ...lines] = readFileSync(join(data, path), "utf8").trim().split("\n");
  const rows = lines.map((line) => line.split(","));
  const timesMs = rows.map(([time]) => utc(time ?? ""));
  const windows = labels.map(([first, last]): [number, number] => [
    timesMs.findIndex((time) => time >= utc(first)),
    timesMs.findLastIndex((time) => time <= utc(last)),
  ]);
  return { path, timesMs, values: rows.map(([, value]) => Number(value)), windows };
}

function utc(time: string): number {
  return Date.parse(`${time.slice(0, 19).replace(" ", "T")}Z`);
}
