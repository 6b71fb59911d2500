// SPDX-License-Identifier: AGPL-3.0-or-later
import { configSchema } from "../../src/config/schema.ts";
import { listSettings } from "../../src/config/settings.ts";
import { inputSchema, type JsonSchema } from "../../src/util/validate.ts";
import { code, page, sentence, table } from "./markdown.ts";
import { settingsTable, typeOf } from "./settings-table.ts";

export function configurationDocument(): string {
  const schema = inputSchema(configSchema);
  const sections = Object.entries(schema.properties ?? {}).flatMap(([key, section]) => [
    `## ${key}`,
    sentence(section.description ?? ""),
    section.items?.oneOf
      ? channels(section.items.oneOf)
      : settingsTable(listSettings(section, [key])),
  ]);
  return page("# Configuration", INTRODUCTION, ...sections);
}

const INTRODUCTION = `The configuration comes from the command line, from variables, from a YAML file (\`--config.file\`, or the variable
\`NAM_CONFIG_FILE\`) and from defaults, in this order of precedence. An empty file is valid, and so is none.
[config/nam.example.yml](../config/nam.example.yml) holds every setting at its default;
[config/nam.schema.json](../config/nam.schema.json) is the JSON schema for editors:

\`\`\`yaml
# yaml-language-server: $schema=nam.schema.json
\`\`\`

- An unknown key is an error. Every problem is reported with file, line and path, and with the key that was probably meant;
  \`nam check-config FILE\` does the same without starting anything, and exits with 2.
- Variables: text as it is, lists with commas, everything else as YAML (\`NAM_CHANNELS='[{type: slack, url_env: SLACK_URL}]'\`). An
  empty variable counts as not set.
- Paths in \`*_file\` settings of the file are relative to the file's own folder; \`storage.path\` to the working directory.
- Secrets stand in the file, in a file of their own (\`*_file\`) or in a variable (\`*_env\`), never on the command line. \`/config\`
  shows them as \`<secret>\`.
- SIGHUP and \`POST /-/reload\` read everything again. A configuration that is not valid is refused as a whole, the old one goes on,
  and \`nam_config_last_reload_successful\` is 0. Counters, baselines, what detectors have learned and open anomalies
  survive. What is bound at the start needs a restart: \`capture\`, \`flow\`, \`web\`, \`storage\`, \`log\`, \`agent\` and \`stealth\`.
- \`web.config_file\` is a file of its own, in the format of the Prometheus exporter toolkit: \`tls_server_config\` (certificates,
  client certificates, versions) and \`basic_auth_users\` (bcrypt). It is read again when it or a certificate changes.`;

/** A list whose entries have one of several forms, told apart by \`type\`. */
function channels(forms: readonly JsonSchema[]): string {
  return forms
    .map((form) => {
      const rows = Object.entries(form.properties ?? {}).map(([key, schema]) => [
        code(key),
        typeOf(schema),
        schema.default === undefined ? "" : code(String(schema.default)),
        sentence(schema.description ?? "The kind of channel"),
      ]);
      const type = String(form.properties?.type?.const);
      return `### type: ${type}\n\n${table(["Setting", "Type", "Default", "Meaning"], rows)}`;
    })
    .join("\n\n");
}
