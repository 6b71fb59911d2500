// SPDX-License-Identifier: AGPL-3.0-or-later
import { createHash, randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { compare } from "bcryptjs";
import type { RequestHandler } from "express";
import { sendProblem } from "./respond.ts";

/** Answers remembered, so that a scrape does not cost a bcrypt each time. */
const CACHE_LIMIT = 128;
/** Comparisons that may wait. */
const QUEUE_LIMIT = 8;
/** A comparison takes some 80 ms of the only thread; after a wrong one everybody else has their turn first. */
const PAUSE_AFTER_FAILURE_MS = 250;

/** Checks HTTP Basic credentials (RFC 7617) against bcrypt hashes. */
export class BasicAuth {
  readonly #salt = randomBytes(16);
  /** Least recently used first. */
  readonly #answers = new Map<string, boolean>();
  /** One comparison at a time. */
  #queue: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** True, false, or null when too many comparisons wait already. */
  async check(
    users: Readonly<Record<string, string>>,
    authorization: string | undefined,
  ): Promise<boolean | null> {
    const credentials = credentialsOf(authorization);
    if (!credentials) return false;
    const { user, password } = credentials;
    const hash = Object.hasOwn(users, user) ? users[user] : undefined;
    const key = this.#keyOf(user, password, hash ?? "");
    const known = this.#answers.get(key);
    if (known !== undefined) {
      this.#remember(key, known);
      return known;
    }
    if (this.#waiting >= QUEUE_LIMIT) return null;
    // An unknown user costs as much as a known one, so that nobody can tell which users exist.
    const matches = await this.#compare(password, hash ?? String(Object.values(users)[0]));
    const answer = matches && hash !== undefined;
    this.#remember(key, answer);
    return answer;
  }

  async #compare(password: string, hash: string): Promise<boolean> {
    this.#waiting++;
    const result = this.#queue.then(() => compare(password, hash));
    this.#queue = result.then((matches) =>
      matches ? undefined : setTimeout(PAUSE_AFTER_FAILURE_MS),
    );
    try {
      return await result;
    } finally {
      this.#waiting--;
    }
  }

  #keyOf(...parts: readonly string[]): string {
    return createHash("sha256").update(this.#salt).update(JSON.stringify(parts)).digest("base64");
  }

  #remember(key: string, answer: boolean): void {
    this.#answers.delete(key);
    this.#answers.set(key, answer);
    if (this.#answers.size <= CACHE_LIMIT) return;
    const oldest = this.#answers.keys().next();
    if (!oldest.done) this.#answers.delete(oldest.value);
  }
}

/** Lets nobody through whose credentials are not those of a user; everybody when there are no users. */
export function requireUser(
  auth: BasicAuth,
  users: () => Readonly<Record<string, string>>,
): RequestHandler {
  return async (request, response, next) => {
    const known = users();
    if (Object.keys(known).length === 0) return next();
    const answer = await auth.check(known, request.headers.authorization);
    if (answer === true) return next();
    if (answer === null) {
      response.set("Retry-After", "1");
      return sendProblem(response, 429, "too_many_requests", "too many logins at once");
    }
    response.set("WWW-Authenticate", 'Basic realm="network-anomaly-monitor", charset="UTF-8"');
    sendProblem(response, 401, "unauthorized", "a user name and password are needed");
  };
}

function credentialsOf(
  authorization: string | undefined,
): { readonly user: string; readonly password: string } | null {
  const encoded = /^basic +([A-Za-z0-9+/=]+)$/i.exec(authorization ?? "")?.[1];
  if (!encoded) return null;
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0 ? null : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
