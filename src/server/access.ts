// SPDX-License-Identifier: AGPL-3.0-or-later
import type { Request, RequestHandler } from "express";
import { isLoopbackHost } from "../util/listen-address.ts";
import { sendProblem } from "./respond.ts";

/** Who may see more than numbers: the page and the API show addresses and names. */
export interface AccessRules {
  /** Paths that hold nothing but numbers and health; everyone who can connect may read them. */
  readonly openPaths: readonly string[];
  /** True where only this machine can connect: loopback, or a unix socket. */
  readonly isLocal: boolean;
  /** True when every request has passed authentication already. */
  isAuthenticated(): boolean;
  readonly allowRemoteApi: boolean;
}

const REMOTE =
  "beyond loopback only metrics and health are served without authentication; " +
  "set basic_auth_users in web.config_file, or web.allow_remote_api: true, or listen on 127.0.0.1";
const FOREIGN_NAME =
  "on loopback the page and the API answer to localhost and loopback addresses only, so that no web site can reach " +
  "them under its own name; use http://127.0.0.1, or set web.allow_remote_api: true";
const FOREIGN_ORIGIN = "another web site may not do this";

export function guardAccess(rules: AccessRules): RequestHandler {
  return (request, response, next) => {
    const reason = refusal(rules, request);
    if (reason === null) return next();
    sendProblem(response, 403, "forbidden", reason);
  };
}

/** Why the request may not pass, or null. */
function refusal(rules: AccessRules, request: Request): string | null {
  if (isCrossSiteWrite(request)) return FOREIGN_ORIGIN;
  if (rules.openPaths.includes(request.path)) return null;
  if (rules.allowRemoteApi || rules.isAuthenticated()) return null;
  if (!rules.isLocal) return REMOTE;
  return isLocalName(request) ? null : FOREIGN_NAME;
}

/** A browser sends its user's credentials along when a foreign page makes it POST. */
function isCrossSiteWrite(request: Request): boolean {
  if (request.method === "GET" || request.method === "HEAD") return false;
  const { origin, host } = request.headers;
  if (request.headers["sec-fetch-site"] === "cross-site") return true;
  return origin !== undefined && origin.replace(/^https?:\/\//, "") !== host;
}

/** A page whose own name was made to resolve to 127.0.0.1 still says that name in Host. */
function isLocalName(request: Request): boolean {
  if (request.socket.remoteAddress === undefined) return true;
  const host = request.headers.host ?? "";
  return isLoopbackHost(host.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1"));
}
