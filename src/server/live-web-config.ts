// SPDX-License-Identifier: AGPL-3.0-or-later
import { statSync } from "node:fs";
import type { Clock } from "../util/clock.ts";
import { messageOf } from "../util/errors.ts";
import type { Log } from "../util/log.ts";
import { readTlsMaterial, type TlsMaterial } from "./tls-options.ts";
import { readWebConfig, type WebConfig } from "./web-config.ts";

/** The files are looked at this often at most. */
const CHECK_INTERVAL_MS = 1_000;

export interface WebSecurity {
  readonly config: WebConfig;
  /** Null without TLS. */
  readonly tls: TlsMaterial | null;
}

/**
 * The web configuration file as it stands now, so that certificates and users change without a restart. It is looked
 * at when a connection or a request asks; a file that became unusable is reported once and the last good one stays.
 */
export class LiveWebConfig {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #log: Log;
  #current: WebSecurity;
  #signature: string;
  #checkedMs: number;

  /** Throws CONFIG_READ or CONFIG_INVALID. */
  constructor(path: string, clock: Clock, log: Log) {
    this.#path = path;
    this.#clock = clock;
    this.#log = log;
    this.#current = read(path);
    this.#signature = this.#sign();
    this.#checkedMs = clock.monotonicMs();
  }

  /** What holds now; the same object as long as nothing changed. */
  current(): WebSecurity {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#checkedMs >= CHECK_INTERVAL_MS) {
      this.#checkedMs = nowMs;
      this.#refresh();
    }
    return this.#current;
  }

  #refresh(): void {
    const signature = this.#sign();
    if (signature === this.#signature) return;
    this.#signature = signature;
    try {
      const fresh = read(this.#path);
      if (clientAuthOf(fresh) !== clientAuthOf(this.#current)) {
        this.#log.warn(
          { file: this.#path },
          "web configuration not taken: TLS on or off, and another client_auth_type, need a restart",
        );
        return;
      }
      this.#current = fresh;
      this.#signature = this.#sign();
      this.#log.info({ file: this.#path }, "web configuration read again");
    } catch (error) {
      this.#log.error(
        { file: this.#path, error: messageOf(error) },
        "web configuration is not usable, the last good one stays",
      );
    }
  }

  /** Identity of the files' contents as far as the file system tells. */
  #sign(): string {
    return [this.#path, ...(this.#current.tls?.files ?? [])].map(signatureOf).join("\n");
  }
}

function read(path: string): WebSecurity {
  const config = readWebConfig(path);
  const { tls_server_config: tls } = config;
  return { config, tls: tls ? readTlsMaterial(tls) : null };
}

/** What the listening sockets were made for, and cannot change. */
function clientAuthOf({ config }: WebSecurity): string | null {
  return config.tls_server_config?.client_auth_type ?? null;
}

function signatureOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs}` : "absent";
}
