// SPDX-License-Identifier: AGPL-3.0-or-later
/** One value of a JSON body, by its path; undefined if the body is not JSON or has no such value. */
export function fieldOf(body: string, ...path: readonly string[]): unknown {
  try {
    let value: unknown = JSON.parse(body);
    for (const name of path) value = (value as Record<string, unknown> | null | undefined)?.[name];
    return value;
  } catch {
    return undefined;
  }
}
