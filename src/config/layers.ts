// SPDX-License-Identifier: AGPL-3.0-or-later
import type { JsonSchema, SettingPath } from "../util/validate.ts";

type Section = Record<string, unknown>;

/** What was configured, put together from several origins; remembers which of them set what. */
export class Layers {
  readonly #value: Section;
  readonly #origins: { readonly path: readonly string[]; readonly origin: string }[] = [];

  /** `base` is not changed. */
  constructor(base: Section) {
    this.#value = copy(base);
  }

  get value(): unknown {
    return this.#value;
  }

  /** Replaces what lower layers said. Does nothing below a value that is no section: that is reported on its own. */
  set(path: readonly string[], value: unknown, origin: string): void {
    const key = path.at(-1);
    const section = this.#section(path.slice(0, -1));
    if (key === undefined || !section) return;
    section[key] = value;
    this.#origins.push({ path, origin });
  }

  setDefault(path: readonly string[], value: unknown): void {
    const key = path.at(-1);
    const section = this.#section(path.slice(0, -1));
    if (key !== undefined && section) section[key] ??= value;
  }

  /** The flag or variable that set the value at `path`, or null: then it is the file. */
  originOf(path: SettingPath): string | null {
    const setters = this.#origins.filter((setter) =>
      setter.path.every((key, index) => path[index] === key),
    );
    return setters.at(-1)?.origin ?? null;
  }

  #section(path: readonly string[]): Section | null {
    let section = this.#value;
    for (const key of path) {
      const child = Object.hasOwn(section, key) ? section[key] : undefined;
      if (child === undefined) section[key] = {};
      else if (!isSection(child)) return null;
      section = section[key] as Section;
    }
    return section;
  }
}

export function isSection(value: unknown): value is Section {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** A section or list with nothing in it, as when every line below its key is commented out, is not there at all. */
export function withoutEmptySections(section: Section, schema: JsonSchema): Section {
  const entries = Object.entries(section).flatMap(([key, value]) => {
    const child = schema.properties?.[key];
    if (value === null && (child?.type === "object" || child?.type === "array")) return [];
    return [[key, isSection(value) && child ? withoutEmptySections(value, child) : value]];
  });
  return Object.fromEntries(entries) as Section;
}

/** Makes the values of `*_file` keys absolute, seen from the folder of the file they stand in. */
export function withAbsoluteFiles(value: unknown, absolute: (path: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => withAbsoluteFiles(item, absolute));
  if (!isSection(value)) return value;
  const entries = Object.entries(value).map(([key, child]) => [
    key,
    key.endsWith("_file") && typeof child === "string"
      ? absolute(child)
      : withAbsoluteFiles(child, absolute),
  ]);
  return Object.fromEntries(entries);
}

function copy(section: Section): Section {
  const entries = Object.entries(section);
  return Object.fromEntries(
    entries.map(([key, value]) => [key, isSection(value) ? copy(value) : value]),
  );
}
