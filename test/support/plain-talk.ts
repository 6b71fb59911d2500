// SPDX-License-Identifier: AGPL-3.0-or-later
import { bytes } from "../decode/frames.ts";
import { CallBench } from "./ai-calls.ts";
import { TalkClock, TcpTalk } from "./talk.ts";

const FIN_PSH_ACK = 0x19;
const RST = 0x04;
const MS_PER_SECOND = 1000;

/** Between whom a PlainTalk is. */
export const PLAIN_ENDS = {
  ...{ client: "10.0.0.5", server: "10.0.0.80" },
  ...{ clientPort: 50_000, serverPort: 11_434 },
} as const;

/** One connection in clear text, segment by segment, and the calls that are found in it. */
export class PlainTalk extends TcpTalk {
  readonly bench: CallBench;

  constructor(
    bench = new CallBench(),
    clock = new TalkClock(),
    ends: Partial<typeof PLAIN_ENDS> = {},
  ) {
    super(bench, { ...PLAIN_ENDS, ...ends }, clock);
    this.bench = bench;
  }

  clientSays(text: string): void {
    this.segment(true, bytes(text));
  }

  /** What was sent last, once more. */
  clientRepeats(text: string): void {
    this.segment(true, bytes(text), undefined, text.length);
  }

  serverSays(text: string): void {
    this.segment(false, bytes(text));
  }

  /** The last of it comes with a FIN. */
  serverEnds(text: string): void {
    this.segment(false, bytes(text), FIN_PSH_ACK);
  }

  /** The client sends no more, and waits for what is to come. */
  clientEnds(text: string): void {
    this.segment(true, bytes(text), FIN_PSH_ACK);
  }

  reset(): void {
    this.segment(true, bytes(), RST);
  }

  /** The calls, after the client closed the connection. */
  calls() {
    this.close();
    this.bench.finish();
    return this.bench.calls.map(({ startMs, ttftMs, upBytes, downBytes, isStream, host }) => {
      return { startMs: startMs % MS_PER_SECOND, ttftMs, upBytes, downBytes, isStream, host };
    });
  }
}

/** A request with a body of JSON. */
export function request(path: string, body: string, host = "llm.corp.example", more = ""): string {
  const fields = [
    `Host: ${host}:${PLAIN_ENDS.serverPort}`,
    ...["Content-Type: application/json", `Content-Length: ${body.length}`],
  ];
  return `POST ${path} HTTP/1.1\r\n${fields.join("\r\n")}\r\n${more}\r\n${body}`;
}

/** The header of a response, to the empty line. */
export function header(status: string, ...fields: readonly string[]): string {
  return [`HTTP/1.1 ${status}`, ...fields, "", ""].join("\r\n");
}

/** A response with a body of JSON. */
export function answer(body: string, status = "200 OK"): string {
  return `${header(status, "Content-Type: application/json", `Content-Length: ${body.length}`)}${body}`;
}

/** A piece of a body in chunks (RFC 9112 §7.1); nothing is the last. */
export function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}
