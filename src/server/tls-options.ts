// SPDX-License-Identifier: AGPL-3.0-or-later
import type { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { createSecureContext, type SecureContextOptions, type TLSSocket } from "node:tls";
import { messageOf, NamError } from "../util/errors.ts";
import type { TlsSettings } from "./web-config.ts";

/** What can change while the server runs. */
export interface TlsMaterial {
  readonly context: SecureContextOptions;
  /** Files it came from. */
  readonly files: readonly string[];
}

/** Reads certificates and keys. Throws CONFIG_READ, or CONFIG_INVALID when they do not fit together. */
export function readTlsMaterial(tls: TlsSettings): TlsMaterial {
  const files = [tls.cert_file, tls.key_file, tls.client_ca_file].filter(
    (file) => file !== undefined,
  );
  const authority = pem(tls.client_ca, tls.client_ca_file);
  const context: SecureContextOptions = {
    cert: pem(tls.cert, tls.cert_file),
    key: pem(tls.key, tls.key_file),
    ...(authority === undefined ? {} : { ca: authority }),
    minVersion: versionOf(tls.min_version),
    maxVersion: versionOf(tls.max_version),
  };
  try {
    createSecureContext(context);
  } catch (error) {
    throw new NamError(
      "CONFIG_INVALID",
      `the TLS certificate or key is not usable: ${messageOf(error)}; both must be PEM and belong together`,
      error,
    );
  }
  return { context, files };
}

/** What the handshake asks of a client; fixed while the server runs. */
export function clientAuthOptions({ client_auth_type: type }: TlsSettings): {
  requestCert: boolean;
  rejectUnauthorized: boolean;
} {
  return {
    requestCert: type !== "NoClientCert",
    rejectUnauthorized: type === "RequireAndVerifyClientCert",
  };
}

/** True when the client's certificate, or its lack of one, is what the configuration asks for. */
export function isClientAllowed(tls: TlsSettings, socket: TLSSocket): boolean {
  const certificate = socket.getPeerX509Certificate();
  switch (tls.client_auth_type) {
    case "RequireAnyClientCert":
      return certificate !== undefined;
    case "VerifyClientCertIfGiven":
      return certificate === undefined || socket.authorized;
    case "RequireAndVerifyClientCert":
      return socket.authorized && hasAllowedName(tls.client_allowed_sans, certificate);
    case "NoClientCert":
    case "RequestClientCert":
      return true;
  }
}

function hasAllowedName(
  allowed: readonly string[],
  certificate: X509Certificate | undefined,
): boolean {
  if (allowed.length === 0) return true;
  const exactly = { subject: "never", wildcards: false } as const;
  return allowed.some((name) =>
    isIP(name)
      ? certificate?.checkIP(name)
      : (certificate?.checkHost(name, exactly) ??
        certificate?.checkEmail(name, { subject: "never" })),
  );
}

function pem(inline: string | undefined, file: string | undefined): string | undefined {
  if (file === undefined) return inline;
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new NamError("CONFIG_READ", `cannot read ${file}: ${messageOf(error)}`, error);
  }
}

function versionOf(
  name: TlsSettings["min_version"],
): NonNullable<SecureContextOptions["minVersion"]> {
  switch (name) {
    case "TLS10":
      return "TLSv1";
    case "TLS11":
      return "TLSv1.1";
    case "TLS12":
      return "TLSv1.2";
    case "TLS13":
      return "TLSv1.3";
  }
}
