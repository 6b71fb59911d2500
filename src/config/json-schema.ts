// SPDX-License-Identifier: AGPL-3.0-or-later
import schema from "../../config/nam.schema.json" with { type: "json" };
import type { JsonSchema } from "../util/validate.ts";

/**
 * The configuration's JSON schema as `npm run docs` wrote it: making it from the schema itself takes longer than
 * replaying most captures. A test holds the two equal.
 */
export const configJsonSchema: JsonSchema = schema;
