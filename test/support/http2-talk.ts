// SPDX-License-Identifier: AGPL-3.0-or-later
import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";

/** Bytes that one side of a connection sent together. */
export interface Spoken {
  readonly side: "client" | "server";
  readonly data: Buffer;
}

/** What the client of `talkHttp2` asks for, and what it was answered. */
export interface Asked {
  readonly method: string;
  readonly host: string;
  readonly status: number;
}

const HOSTS = ["Intranet.example:8080", "other.example", "[2001:db8::7]:80"];
const ASKED: readonly Asked[] = ["GET", "POST", "GET", "DELETE", "LOCK", "PUT", "GET", "GET"].map(
  (method, at) => ({
    method,
    host: HOSTS[at % HOSTS.length] ?? "",
    status: [200, 201, 200, 404, 503, 302, 418, 204][at] ?? 0,
  }),
);
/** Longer than a frame, so that it goes on in others. */
const LONG = "long ".repeat(6000);
const HEADERS_MAX = 100_000;

/**
 * A real client and server of HTTP/2 in clear text on loopback: eight requests one after the other with 103 before each
 * response, padding, trailers, pushed resources, and fields that fill 30 kB.
 */
export async function talkHttp2(): Promise<{ spoken: Spoken[]; asked: readonly Asked[] }> {
  const options = {
    paddingStrategy: http2.constants.PADDING_STRATEGY_MAX,
    maxSendHeaderBlockLength: HEADERS_MAX,
    settings: { maxHeaderListSize: HEADERS_MAX },
  };
  const server = http2.createServer(options, (request, response) => {
    const { status = 0 } = ASKED[Number(request.url.slice(1))] ?? {};
    response.writeEarlyHints({ link: "</style.css>; rel=preload" });
    response.createPushResponse({ ":path": "/style.css" }, (_, pushed) => pushed.end("body{}"));
    response.setHeader("x-number", request.url);
    response.addTrailers({ "x-checksum": `${status}` });
    response.writeHead(status);
    response.end(status === 204 ? "" : "quiet");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const spoken: Spoken[] = [];
  const relay = net.createServer((client) => {
    const upstream = net.connect(portOf(server), "127.0.0.1");
    pass(client, upstream, (data) => spoken.push({ side: "client", data }));
    pass(upstream, client, (data) => spoken.push({ side: "server", data }));
  });
  relay.listen(0, "127.0.0.1");
  await once(relay, "listening");
  const session = http2.connect(`http://127.0.0.1:${portOf(relay)}`, options);
  session.on("stream", (pushed) => pushed.resume());
  for (const [at, { method, host }] of ASKED.entries()) {
    const request = session.request({
      ...{ ":method": method, ":authority": host, ":path": `/${at}` },
      ...(at === 2 ? { "x-long": LONG } : {}),
    });
    request.resume();
    request.end();
    await once(request, "close");
  }
  session.close();
  await once(session, "close");
  relay.close();
  server.close();
  return { spoken, asked: ASKED };
}

function pass(from: net.Socket, to: net.Socket, note: (data: Buffer) => void): void {
  from.on("data", (data: Buffer) => {
    note(data);
    to.write(data);
  });
  from.on("end", () => to.end());
  from.on("error", () => to.destroy());
}

function portOf(server: { address(): unknown }): number {
  return (server.address() as net.AddressInfo).port;
}
