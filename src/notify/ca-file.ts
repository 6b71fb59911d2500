// SPDX-License-Identifier: AGPL-3.0-or-later
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { NamError } from "../util/errors.ts";

/** The PEM of an authority; undefined where none is named. Throws CHANNEL where the file holds none. */
export function readCa(channel: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    const pem = readFileSync(path, "utf8");
    new X509Certificate(pem);
    return pem;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new NamError(
      "CHANNEL",
      `channel ${channel}: ca_file ${path} holds no certificate (${code})`,
      error,
    );
  }
}
