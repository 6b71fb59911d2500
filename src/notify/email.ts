// SPDX-License-Identifier: AGPL-3.0-or-later

import { type ChannelDefinition, routingSettings } from "../alert/alert.ts";
import { NamError } from "../util/errors.ts";
import { z } from "../util/zod.ts";
import { readCa } from "./ca-file.ts";
import { mailOf } from "./mail.ts";
import { readSecret, secretProblem, secretSettings } from "./secret-settings.ts";
import { type MailServer, sendMail } from "./smtp.ts";
import { timeoutSetting } from "./target-settings.ts";
import { templateSettings } from "./template.ts";

/** An address alone, of ASCII, also of a single-label host: nothing in it can begin another header. */
const address = z
  .string()
  .max(254)
  .regex(/^[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/, "an address");

const settings = z
  .strictObject({
    ...routingSettings("email"),
    host: z.string().min(1).max(253).describe("Name or address of the mail server."),
    port: z
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .describe("Its port. Default: 587, or 465 where security is tls."),
    security: z
      .enum(["starttls", "tls", "none"])
      .default("starttls")
      .describe(
        "starttls: nothing is sent before TLS is on; tls: from the first byte; none: in the clear, for a server on this machine.",
      ),
    ca_file: z
      .string()
      .min(1)
      .optional()
      .describe("Authority (PEM) that vouches for the server. Default: those the system trusts."),
    username: z.string().min(1).optional().describe("Account to log in with, if any."),
    ...secretSettings("password", "Password of the account"),
    from: address.describe("Sender."),
    to: z.array(address).min(1).max(50).describe("Recipients."),
    timeout_seconds: timeoutSetting,
    allow_private: z
      .boolean()
      .default(true)
      .describe("Permit a server on a private or loopback address, where many relays are."),
    ...templateSettings,
  })
  .superRefine((values, context) => {
    const problem =
      secretProblem(values, "password", values.username !== undefined) ??
      (values.username !== undefined && values.security === "none"
        ? "would be readable on the way; security must be starttls or tls"
        : null);
    if (problem) context.addIssue({ code: "custom", path: ["password"], message: problem });
  });

/** E-mail through an SMTP server, one thread an incident. */
export const email = {
  type: "email",
  help: "E-mail over SMTP, one thread an incident",
  settings,
  // People read it: what is not critical shares a message a minute.
  rate: { perSecond: 1 / 60, burst: 1, sparesCritical: true },
  usesNetwork: true,
  create(values, log) {
    const { name, host, security, username, from, to } = values;
    const password = readSecret(values, "password", log);
    if (username !== undefined && !password) {
      throw new NamError("CHANNEL", `channel ${name}: ${secretProblem(values, "password", true)}`);
    }
    const server: MailServer = {
      host,
      port: values.port ?? (security === "tls" ? 465 : 587),
      security,
      ca: readCa(name, values.ca_file),
      login: username !== undefined && password ? { username, password } : null,
      allowPrivate: values.allow_private,
      timeoutMs: values.timeout_seconds * 1_000,
    };
    return {
      send: (alert, signal) =>
        sendMail(server, mailOf(alert, { from, to, templates: values }), signal),
    };
  },
} satisfies ChannelDefinition<z.output<typeof settings>>;
