// SPDX-License-Identifier: AGPL-3.0-or-later
import { readFileSync } from "node:fs";
import { parseYaml } from "../../src/util/yaml-document.ts";

const SOURCE = "data/ai-providers.yaml";

interface Row {
  readonly id: string;
  readonly category: string;
  readonly exact?: readonly string[];
  readonly suffix?: readonly string[];
  readonly regex?: readonly string[];
}

/** data/ai-providers.yaml as the file of the program: a text a row, without its sources. */
export function aiProviderTable(): string {
  const text = readFileSync(new URL(`../../${SOURCE}`, import.meta.url), "utf8");
  const { version, providers, never_ai } = parseYaml(text, SOURCE).value as {
    version: string;
    providers: readonly Row[];
    never_ai: readonly string[];
  };
  const rows = providers.map(({ id, category, exact = [], suffix = [], regex = [] }) =>
    [id, category, ...exact, ...suffix.map((name) => `.${name}`), ...regex].join(" "),
  );
  return `// SPDX-License-Identifier: AGPL-3.0-or-later
// Made from ${SOURCE} by \`npm run docs\`.

/** When the names were last held against their sources. */
export const PROVIDER_TABLE_VERSION = ${JSON.stringify(version)};

/** Provider, category, names: \`host.example\` as it is, \`.example\` with all names below it, \`^…$\` as a pattern. */
export const PROVIDER_ROWS: readonly string[] = [
${list(rows)}
];

/** Names that are nobody's, with all names below them. */
export const NEVER_AI: readonly string[] = [
${list(never_ai)}
];
`;
}

function list(texts: readonly string[]): string {
  return texts.map((text) => `  ${JSON.stringify(text)},`).join("\n");
}
