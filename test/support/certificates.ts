// SPDX-License-Identifier: AGPL-3.0-or-later
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority in `folder`, made with openssl; good for a day. */
export class Authority {
  readonly #folder: string;
  readonly root: Certificate;

  constructor(folder: string, name = "authority") {
    this.#folder = folder;
    this.root = files(folder, name);
    openssl(
      "req",
      "-x509",
      ...newKey(this.root),
      "-out",
      this.root.certFile,
      "-days",
      "1",
      "-subj",
      `/CN=${name}`,
    );
    this.root = read(this.root);
  }

  /** `names` are subject alternative names, e.g. `DNS:localhost` or `IP:127.0.0.1`. */
  issue(name: string, names: readonly string[]): Certificate {
    const certificate = files(this.#folder, name);
    const request = join(this.#folder, `${name}.csr`);
    const extensions = join(this.#folder, `${name}.ext`);
    writeFileSync(extensions, `subjectAltName=${names.join(",")}\n`);
    openssl("req", ...newKey(certificate), "-out", request, "-subj", `/CN=${name}`);
    const { certFile, keyFile } = this.root;
    openssl(
      "x509",
      "-req",
      "-in",
      request,
      "-CA",
      certFile,
      "-CAkey",
      keyFile,
      "-CAcreateserial",
      "-days",
      "1",
      "-extfile",
      extensions,
      "-out",
      certificate.certFile,
    );
    return read(certificate);
  }
}

function files(folder: string, name: string): Certificate {
  return {
    certFile: join(folder, `${name}.pem`),
    keyFile: join(folder, `${name}.key`),
    cert: "",
    key: "",
  };
}

function read({ certFile, keyFile }: Certificate): Certificate {
  return {
    certFile,
    keyFile,
    cert: readFileSync(certFile, "utf8"),
    key: readFileSync(keyFile, "utf8"),
  };
}

function newKey({ keyFile }: Certificate): string[] {
  return [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-keyout",
    keyFile,
  ];
}

function openssl(...args: readonly string[]): void {
  execFileSync("openssl", args, { stdio: "pipe" });
}
