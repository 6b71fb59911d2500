// SPDX-License-Identifier: AGPL-3.0-or-later
import { z } from "../../util/zod.ts";
import { CATEGORIES } from "./pairs.ts";

const PROVIDERS_MAX = 64;
const NAMES_MAX = 256;

/** A host name as it goes over the wire: A-labels where it is international (RFC 5890 §2.3.2.1). */
const hostName = z
  .string()
  .toLowerCase()
  .max(253)
  .regex(
    /^(?=.*[a-z])[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)+$/,
    {
      error: "must be a host name like api.example.com; write an international one as xn--…",
    },
  );

const names = (text: string) => z.array(hostName).max(NAMES_MAX).default([]).describe(text);

const provider = z.strictObject({
  provider: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,31}$/, { error: "must be a short name like corp_gateway" })
    .describe(
      "Name of the provider. One that the product does not know is counted as `other`; reports and events name it.",
    ),
  category: z.enum(CATEGORIES).describe("What its hosts are for."),
  exact: names("Host names of it, as they are."),
  suffix: names("Domains of it, with all names below them."),
});
export type AiProvider = z.output<typeof provider>;

/** What the operator says about names. */
export const aiNames = z.strictObject({
  providers: z
    .array(provider)
    .max(PROVIDERS_MAX)
    .default([])
    .describe(
      "Providers of your own, or other names of known ones, e.g. a gateway or a private deployment. They go before the built-in table.",
    ),
  never: names(
    "Domains that are never taken for AI, with all names below them. They go before the built-in table.",
  ),
});
export type AiSettings = z.output<typeof aiNames>;
