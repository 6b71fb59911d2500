// SPDX-License-Identifier: AGPL-3.0-or-later
// Servers that take mail and syslog and keep what came.
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { SMTPServer } from "smtp-server";
import { Authority } from "./certificates.ts";

export const MAIL_PASSWORD = "sEcReTtOkEn0123456789";

/** A mail server with TLS from the first byte, or STARTTLS; it knows the user `nam`. */
export class MailSink {
  readonly received: string[] = [];
  /** What the next recipients are refused with. */
  refusal: { readonly code: number; readonly text: string } | null = null;
  readonly caFile: string;
  readonly #server: SMTPServer;

  private constructor(folder: string, secure: boolean, withoutTls: boolean) {
    const authority = new Authority(folder);
    const { key, cert } = authority.issue("mail", ["IP:127.0.0.1", "DNS:localhost"]);
    this.caFile = authority.root.certFile;
    this.#server = new SMTPServer({
      key,
      cert,
      secure,
      disabledCommands: withoutTls ? ["STARTTLS"] : [],
      authOptional: true,
      disableReverseLookup: true,
      onAuth: ({ username, password }, _session, done) =>
        username === "nam" && password === MAIL_PASSWORD
          ? done(null, { user: username })
          : done(Object.assign(new Error("no"), { responseCode: 535 })),
      onRcptTo: (_address, _session, done) => {
        const { refusal } = this;
        if (!refusal) return done();
        done(Object.assign(new Error(refusal.text), { responseCode: refusal.code }));
      },
      onData: (stream, _session, done) => {
        const chunks: Buffer[] = [];
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("end", () => {
          this.received.push(Buffer.concat(chunks).toString("utf8"));
          done();
        });
      },
    });
    this.#server.on("error", () => {});
  }

  static async start(
    folder: string,
    { secure = true, withoutTls = false } = {},
  ): Promise<MailSink> {
    const sink = new MailSink(folder, secure, withoutTls);
    await new Promise<void>((resolve) => sink.#server.listen(0, "127.0.0.1", resolve));
    return sink;
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

/** A collector over TCP that keeps the bytes of each connection. */
export class SyslogSink {
  readonly received: string[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((socket) => {
      const chunks: Buffer[] = [];
      socket.on("data", (chunk) => chunks.push(chunk));
      socket.on("end", () => this.received.push(Buffer.concat(chunks).toString("utf8")));
      socket.on("error", () => {});
    });
  }

  static async start(): Promise<SyslogSink> {
    const sink = new SyslogSink();
    sink.#server.listen(0, "127.0.0.1");
    await once(sink.#server, "listening");
    return sink;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.close();
    await once(this.#server, "close");
  }
}
