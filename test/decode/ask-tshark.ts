// SPDX-License-Identifier: AGPL-3.0-or-later
// What the stored answers do not say, because tshark was asked with its defaults, is asked again.
import { spawnSync } from "node:child_process";
import type { Counts } from "./decoding.ts";
import type { Reference } from "./reference.ts";

/** One row a frame that `filter` selects: the values of each field, of which a frame may have several. */
export function askFields(
  path: string,
  options: readonly string[],
  filter: string,
  fields: readonly string[],
): string[][][] {
  const named = fields.flatMap((field) => ["-e", field]);
  const lines = ask(path, [...options, "-Y", filter, "-T", "fields", ...named]);
  return lines.map((line) =>
    line.split("\t").map((values) => values.split(",").filter((value) => value !== "")),
  );
}

/** How often each value of a field comes in the frames that `filter` selects. */
export function askCounts(
  path: string,
  options: readonly string[],
  filter: string,
  field: string,
): Counts {
  const counts: Counts = {};
  for (const value of askFields(path, options, filter, [field]).flat(2)) {
    counts[value] = (counts[value] ?? 0) + 1;
  }
  return counts;
}

/** The tree of protocols, as in the stored answers. */
export function askTree(path: string, options: readonly string[]): Reference["io_phs"] {
  const above: string[] = [];
  return ask(path, [...options, "-q", "-z", "io,phs"]).flatMap((line) => {
    const [, indent = "", name = "", frames = ""] = /^( *)(\S+) +frames:(\d+)/.exec(line) ?? [];
    if (name === "") return [];
    above.length = indent.length / 2;
    above.push(name);
    return [{ path: above.join(":"), frames: Number(frames) }];
  });
}

function ask(path: string, options: readonly string[]): string[] {
  const { status, stdout, stderr } = spawnSync("tshark", ["-r", path, ...options], {
    encoding: "utf8",
  });
  // 2 where the file ends within a packet, as some captures are made to.
  if (status !== 0 && status !== 2) throw new Error(`tshark ${options.join(" ")}: ${stderr}`);
  return stdout.split("\n").filter((line) => line !== "");
}
