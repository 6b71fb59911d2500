// SPDX-License-Identifier: AGPL-3.0-or-later
import { isIP, type Socket } from "node:net";
import { hostname } from "node:os";
import type { Delivery } from "../alert/alert.ts";
import type { Secret } from "../util/secret.ts";
import { connectTo, type Endpoint } from "./connection.ts";
import { failureOf } from "./failure.ts";
import type { Mail } from "./mail.ts";

export interface MailServer extends Endpoint {
  readonly security: "starttls" | "tls" | "none";
  readonly ca: string | undefined;
  readonly login: { readonly username: string; readonly password: Secret } | null;
}

const LABEL = "the mail server";

/** Hands one mail to the server, over a connection of its own. Never rejects. */
export async function sendMail(
  server: MailServer,
  mail: Mail,
  signal: AbortSignal,
): Promise<Delivery> {
  const { timeoutMs } = server;
  const limit = AbortSignal.timeout(timeoutMs);
  const either = AbortSignal.any([signal, limit]);
  let socket: Socket | undefined;
  try {
    socket = await connectTo(server, either);
    const { accepted, rejected } = await (await transportFor(server, socket)).sendMail(
      envelopeOf(mail),
    );
    const all = accepted.length + rejected.length;
    const detail = `${LABEL} took it for ${accepted.length} of ${all} recipients`;
    return { outcome: "delivered", detail };
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal) return refusal;
    const attempt = { label: LABEL, timeoutMs, isStopped: signal.aborted, isLate: limit.aborted };
    const { reason, detail } = failureOf(error, attempt);
    return { outcome: "retry", reason, detail };
  } finally {
    socket?.destroy();
  }
}

/** nodemailer speaks SMTP; where it connects to was decided, and checked, before. */
async function transportFor(server: MailServer, connection: Socket) {
  const { createTransport } = await import("nodemailer");
  const { host, port, security, ca, login, timeoutMs } = server;
  return createTransport({
    connection,
    host,
    port,
    name: hostname(),
    secure: security === "tls",
    requireTLS: security === "starttls",
    ignoreTLS: security === "none",
    tls: {
      minVersion: "TLSv1.2",
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(ca === undefined ? {} : { ca }),
    },
    ...(login ? { auth: { user: login.username, pass: login.password.reveal() } } : {}),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

function envelopeOf(mail: Mail) {
  const { from, to, subject, text, html, messageId, references, date, isUrgent } = mail;
  const [inReplyTo] = references;
  return {
    from,
    to: [...to],
    subject,
    text,
    html,
    messageId,
    date,
    ...(inReplyTo ? { inReplyTo, references: [...references] } : {}),
    ...(isUrgent ? { priority: "high" as const } : {}),
    // RFC 3834 §5, and what Exchange obeys: nobody's absence note answers this.
    headers: { "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All" },
  };
}

/** What a reply code means (RFC 5321 §4.2.1); undefined where the server gave none. Its words are not repeated. */
function refusalOf(error: unknown): Delivery | undefined {
  const { responseCode, code } = error as { responseCode?: unknown; code?: unknown };
  if (code === "ETLS") {
    return {
      outcome: "retry",
      reason: "network",
      detail: `${LABEL} offers no TLS that can be trusted`,
    };
  }
  if (typeof responseCode !== "number" || responseCode < 400) return undefined;
  const detail = `${LABEL} answered ${responseCode}`;
  if (responseCode < 500) {
    const reason = responseCode === 450 || responseCode === 452 ? "rate_limited" : "server_error";
    return { outcome: "retry", reason, detail };
  }
  // RFC 4954 §6: authentication is required, too weak, or failed.
  if (code === "EAUTH" || [530, 534, 535, 538].includes(responseCode)) {
    return { outcome: "disabled", reason: "unauthorized", detail };
  }
  return { outcome: "rejected", reason: "rejected", detail };
}
