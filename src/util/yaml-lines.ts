// SPDX-License-Identifier: AGPL-3.0-or-later

export type Path = readonly (string | number)[];

/** A parsed file that remembers where each of its values stands; plain data. */
export interface YamlDocument {
  /** Null for an empty file. */
  readonly value: unknown;
  /** Line (from 1) of every key and list item, by the JSON form of its path. */
  readonly lines: ReadonlyMap<string, number>;
}

/** Line (from 1) of the value at `path`, or of the closest part of the file around it. */
export function lineOf({ lines }: YamlDocument, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const line = lines.get(JSON.stringify(path.slice(0, length)));
    if (line !== undefined) return line;
  }
  return 1;
}
