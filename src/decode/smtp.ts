// SPDX-License-Identifier: AGPL-3.0-or-later
import type { ApplicationProtocol } from "./protocol.ts";

/** SMTP (RFC 5321) and submission (RFC 6409); counted by port until STARTTLS turns the flow into TLS. */
export const smtp: ApplicationProtocol = {
  name: "smtp",
  help: "SMTP",
  layer: "application",
  ports: { tcp: [25, 587] },
  create: () => ({}),
};
