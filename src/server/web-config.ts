// SPDX-License-Identifier: AGPL-3.0-or-later
import { dirname, resolve } from "node:path";
import { NamError } from "../util/errors.ts";
import { type Problem, validate } from "../util/validate.ts";
import { readYamlFile } from "../util/yaml-document.ts";
import { z } from "../util/zod.ts";

const TLS_VERSIONS = ["TLS10", "TLS11", "TLS12", "TLS13"] as const;
export const CLIENT_AUTH_TYPES = [
  "NoClientCert",
  "RequestClientCert",
  "RequireAnyClientCert",
  "VerifyClientCertIfGiven",
  "RequireAndVerifyClientCert",
] as const;

const text = z.string().min(1);

const tlsSettings = z
  .strictObject({
    cert_file: text.optional().describe("Certificate chain, PEM."),
    key_file: text.optional().describe("Private key, PEM."),
    cert: text.optional().describe("Certificate chain, PEM, in place of cert_file."),
    key: text.optional().describe("Private key, PEM, in place of key_file."),
    client_ca_file: text
      .optional()
      .describe("Certificates that client certificates are checked against."),
    client_ca: text.optional().describe("The same, PEM, in place of client_ca_file."),
    client_auth_type: z
      .enum(CLIENT_AUTH_TYPES)
      .default("NoClientCert")
      .describe("What is asked of a client."),
    client_allowed_sans: z
      .array(z.string().regex(/^[!-~]+$/, { error: "must be a name or an address" }))
      .default([])
      .describe("Names of which a client certificate must hold one."),
    min_version: z.enum(TLS_VERSIONS).default("TLS12").describe("Least TLS version."),
    max_version: z.enum(TLS_VERSIONS).default("TLS13").describe("Highest TLS version."),
  })
  .superRefine((tls, context) => {
    const problem = (path: string, message: string): void =>
      context.addIssue({ code: "custom", path: [path], message });
    if (!tls.cert === !tls.cert_file) problem("cert_file", "give either cert_file or cert");
    if (!tls.key === !tls.key_file) problem("key_file", "give either key_file or key");
    if (tls.client_ca && tls.client_ca_file)
      problem("client_ca", "give either client_ca_file or client_ca");
    if (TLS_VERSIONS.indexOf(tls.min_version) > TLS_VERSIONS.indexOf(tls.max_version)) {
      problem("min_version", "must not be above max_version");
    }
    const isVerifying = tls.client_auth_type.includes("Verify");
    const hasAuthority = tls.client_ca !== undefined || tls.client_ca_file !== undefined;
    if (isVerifying && !hasAuthority) problem("client_auth_type", "needs client_ca_file");
    if (hasAuthority && !isVerifying) {
      problem(
        "client_auth_type",
        "must verify where client_ca_file is given, e.g. RequireAndVerifyClientCert",
      );
    }
    if (
      tls.client_allowed_sans.length > 0 &&
      tls.client_auth_type !== "RequireAndVerifyClientCert"
    ) {
      problem("client_allowed_sans", "needs client_auth_type: RequireAndVerifyClientCert");
    }
  });

const webConfigSchema = z.strictObject({
  tls_server_config: tlsSettings.optional().describe("TLS."),
  basic_auth_users: z
    .record(
      text,
      z.string().regex(/^\$2[aby]\$(0[4-9]|1[0-9])\$[./A-Za-z0-9]{53}$/, {
        error: "must be a bcrypt hash, as htpasswd -nBC 10 NAME prints it",
      }),
    )
    .default({})
    .describe("Users, each with the bcrypt hash of the password."),
});

/** TLS and authentication, in the format of the Prometheus exporter toolkit; paths are absolute. */
export type WebConfig = z.output<typeof webConfigSchema>;
export type TlsSettings = z.output<typeof tlsSettings>;

/**
 * Reads the file of `web.config_file` (https://prometheus.io/docs/prometheus/latest/configuration/https/). Throws
 * CONFIG_READ or CONFIG_INVALID.
 */
export function readWebConfig(path: string): WebConfig {
  const document = readYamlFile(path);
  const result = validate(webConfigSchema, document.value ?? {});
  if ("problems" in result) {
    const lines = result.problems.map(
      (problem) => `${path}:${document.lineOf(problem.path)}: ${line(problem)}`,
    );
    throw new NamError("CONFIG_INVALID", lines.join("\n"));
  }
  return withAbsolutePaths(result.value, dirname(path));
}

function line({ path, message }: Problem): string {
  // A user's name is not for a log that everyone reads.
  return `${path[0] === "basic_auth_users" ? "basic_auth_users" : path.join(".")}: ${message}`;
}

function withAbsolutePaths(config: WebConfig, folder: string): WebConfig {
  const tls = config.tls_server_config;
  if (!tls) return config;
  const files = Object.fromEntries(
    (["cert_file", "key_file", "client_ca_file"] as const).flatMap((key) => {
      const file = tls[key];
      return file === undefined ? [] : [[key, resolve(folder, file)]];
    }),
  );
  return { ...config, tls_server_config: { ...tls, ...files } };
}
