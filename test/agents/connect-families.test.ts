// SPDX-License-Identifier: AGPL-3.0-or-later
// Behind a CONNECT a connection says twice what its client is: in the User-Agent, and by its ClientHello.
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../scripts/fixtures/bytes.ts";
import {
  applicationData,
  clientHelloMessage,
  handshakeRecord,
  serverHelloMessage,
} from "../../scripts/fixtures/messages.ts";
import { bytes, hex } from "../decode/frames.ts";
import { CallBench } from "../support/ai-calls.ts";
import { TcpTalk } from "../support/talk.ts";

const CHROMIUM = [
  ...[0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014],
  ...[0x009c, 0x009d, 0x002f, 0x0035],
];
const UNKNOWN = [0x1301, 0xc02b];
const CHROME =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";
const CONNECT = "CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com:443\r\n";
const CHANGE_CIPHER_SPEC = hex("1403030001 01");

interface Proxied {
  readonly agent?: string;
  readonly ciphers?: readonly number[];
  /** Where the CONNECT is cut in two segments. */
  readonly cutAt?: number;
  readonly before?: string;
}

/** Connections through a proxy with one and the same client, and what is told of its provider. */
function rowsOf(...talks: readonly Proxied[]) {
  const bench = new CallBench();
  for (const [at, { agent, ciphers = CHROMIUM, cutAt = 0, before = "" }] of talks.entries()) {
    const ends = { server: "10.0.0.3", serverPort: 3128, clientPort: 50_000 + at };
    const talk = new TcpTalk(bench, ends);
    const line = agent === undefined ? "" : `User-Agent: ${agent}\r\n`;
    const request = `${before}${CONNECT}${line}\r\n`;
    talk.segment(true, bytes(request.slice(0, cutAt)));
    talk.segment(true, bytes(request.slice(cutAt)));
    talk.segment(false, bytes("HTTP/1.1 200 Connection established\r\n\r\n"));
    const fields = { tls13: true, alpn: ["h2"], serverName: "api.openai.com", ciphers };
    const hello = clientHelloMessage(seededRandom(1), fields);
    talk.segment(true, bytes(handshakeRecord(0x0301, hello)));
    const answer = serverHelloMessage(seededRandom(2), Buffer.from(hex("002b 0002 0304")));
    talk.segment(false, bytes(handshakeRecord(0x0303, answer), CHANGE_CIPHER_SPEC));
    talk.segment(true, bytes(CHANGE_CIPHER_SPEC, applicationData(53)));
    talk.say(false, applicationData(3000));
    talk.segment(true, applicationData(400));
    talk.close();
  }
  bench.finish();
  // The CONNECT alone named the flow before it had a family.
  return bench.windows.flatMap(({ ai_flows }) => ai_flows).filter(({ completed }) => completed > 0);
}

describe("a client behind a CONNECT", () => {
  it("contradicts itself where the User-Agent names another family than the hello has", () => {
    const curl = { agent: "curl/8.5.0" };
    expect(rowsOf(curl, curl, curl)).toMatchObject([
      { provider: "openai", family: "chromium", completed: 3, contradicted: 3, claimed: "curl" },
    ]);
  });

  it("does so wherever the request is cut behind its first letters", () => {
    const whole = `${CONNECT}User-Agent: curl/8.5.0\r\n\r\n`.length;
    for (let cutAt = CONNECT.indexOf(".") + 3; cutAt < whole; cutAt += 5) {
      const rows = rowsOf({ agent: "curl/8.5.0", cutAt });
      expect(rows, `cut at ${cutAt}`).toMatchObject([{ contradicted: 1, claimed: "curl" }]);
    }
  });

  it.each<[string, Proxied]>([
    ["the families are the same", { agent: CHROME }],
    ["there is no User-Agent", {}],
    ["it names no family", { agent: "corp-updater/3.1" }],
    ["nobody knows the hello", { agent: CHROME, ciphers: UNKNOWN }],
    [
      "the User-Agent is that of another request on the connection",
      { before: "GET http://a.example/ HTTP/1.1\r\nUser-Agent: curl/8\r\n\r\n" },
    ],
  ])("does not where %s", (_, talk) => {
    expect(rowsOf(talk)).toMatchObject([{ completed: 1, contradicted: 0, claimed: "" }]);
  });
});
