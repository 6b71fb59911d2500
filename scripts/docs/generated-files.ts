// SPDX-License-Identifier: AGPL-3.0-or-later
import { aiProviderTable } from "./ai-provider-table.ts";
import { cliDocument } from "./cli.ts";
import { configurationDocument } from "./configuration.ts";
import { detectorsDocument } from "./detectors.ts";
import { errorsDocument } from "./errors.ts";
import { exampleConfiguration } from "./example.ts";
import { jsonSchemaFile } from "./json-schema.ts";
import { metricsDocument } from "./metrics.ts";
import { protocolsDocument } from "./protocols.ts";

/** Every file made from the code, by its path in the project. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ["src/flow/ai/provider-table.ts", aiProviderTable()],
    ["docs/cli.md", await cliDocument()],
    ["docs/configuration.md", configurationDocument()],
    ["docs/detectors.md", detectorsDocument()],
    ["docs/errors.md", errorsDocument()],
    ["docs/metrics.md", metricsDocument()],
    ["docs/protocols.md", protocolsDocument()],
    ["config/nam.example.yml", exampleConfiguration()],
    ["config/nam.schema.json", jsonSchemaFile()],
  ]);
}
