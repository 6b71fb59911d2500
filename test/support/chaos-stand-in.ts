// SPDX-License-Identifier: AGPL-3.0-or-later
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Alert } from "../../src/alert/alert.ts";

/** Of ten requests of a channel, one after the other, these fail, each in its way. */
const FAILURES: Readonly<Record<number, (response: ServerResponse) => void>> = {
  2: (response) => response.writeHead(503).end(),
  3: (response) => response.writeHead(429, { "Retry-After": "1" }).end(),
  4: (response) => void response.socket?.resetAndDestroy(),
  5: (response) => response.writeHead(500).end(),
};

export interface Accepted {
  readonly alert: Alert;
  readonly atMs: number;
}

/** A receiver of three channels that fail in turn; it keeps what it accepted, and when anything came. */
export class ChaosStandIn {
  readonly accepted = new Map<string, Accepted[]>();
  readonly times = new Map<string, number[]>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const channel = (request.url ?? "").split("/").at(-1) ?? "";
      const times = this.times.get(channel) ?? [];
      this.times.set(channel, times);
      const atMs = performance.now();
      times.push(atMs);
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const fail = FAILURES[(times.length + channel.length * 3) % 10];
        if (fail) return fail(response);
        const list = this.accepted.get(channel) ?? [];
        this.accepted.set(channel, list);
        list.push({ alert: JSON.parse(Buffer.concat(chunks).toString()) as Alert, atMs });
        response.writeHead(200).end("ok");
      });
    });
  }

  static async start(): Promise<ChaosStandIn> {
    const standIn = new ChaosStandIn();
    await new Promise<void>((resolve) => standIn.#server.listen(0, "127.0.0.1", resolve));
    return standIn;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
