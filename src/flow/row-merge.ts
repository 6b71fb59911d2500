// SPDX-License-Identifier: AGPL-3.0-or-later
// Parts of RowRules.merge: what becomes of two numbers about the same entity.

/** The named fields, added. */
export function addFields<Row, Name extends keyof Row>(
  earlier: Row,
  later: Row,
  names: readonly Name[],
): Record<Name, number> {
  return joinFields(earlier, later, names, (a, b) => a + b);
}

/** The greater of each named field: for estimates and latest times. */
export function greaterFields<Row, Name extends keyof Row>(
  earlier: Row,
  later: Row,
  names: readonly Name[],
): Record<Name, number> {
  return joinFields(earlier, later, names, Math.max);
}

function joinFields<Row, Name extends keyof Row>(
  earlier: Row,
  later: Row,
  names: readonly Name[],
  join: (a: number, b: number) => number,
): Record<Name, number> {
  const joined = names.map((name) => [name, join(Number(earlier[name]), Number(later[name]))]);
  return Object.fromEntries(joined) as Record<Name, number>;
}
