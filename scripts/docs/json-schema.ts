// SPDX-License-Identifier: AGPL-3.0-or-later
import { configSchema } from "../../src/config/schema.ts";
import { inputSchema } from "../../src/util/validate.ts";

/** JSON schema of the configuration file, for editors. */
export function jsonSchemaFile(): string {
  const schema = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Configuration of network-anomaly-monitor",
    ...inputSchema(configSchema),
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}
