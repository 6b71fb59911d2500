// SPDX-License-Identifier: AGPL-3.0-or-later

/** Entries of a list that are written in one go. */
const ENTRIES = 256;

/**
 * The text that JSON.stringify makes of plain data, in pieces that are each made within a few milliseconds however long
 * the lists are. Nothing may change the data before the last piece was taken.
 */
export function* jsonPieces(value: unknown): Generator<string> {
  if (Array.isArray(value)) yield* listPieces(value);
  else if (typeof value === "object" && value !== null) yield* memberPieces(Object.entries(value));
  else yield JSON.stringify(value);
}

/** The text of an object with these members, each asked for when it is its turn; one that is undefined is left out. */
export function* memberPieces(
  members: Iterable<readonly [name: string, value: unknown]>,
): Generator<string> {
  let before = "{";
  for (const [name, value] of members) {
    if (value === undefined) continue;
    yield `${before}${JSON.stringify(name)}:`;
    yield* jsonPieces(value);
    before = ",";
  }
  yield before === "{" ? "{}" : "}";
}

function* listPieces(list: readonly unknown[]): Generator<string> {
  if (list.length <= ENTRIES) {
    yield JSON.stringify(list);
    return;
  }
  for (let at = 0; at < list.length; at += ENTRIES) {
    const entries = JSON.stringify(list.slice(at, at + ENTRIES)).slice(1, -1);
    yield `${at === 0 ? "[" : ","}${entries}`;
  }
  yield "]";
}
