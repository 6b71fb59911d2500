// SPDX-License-Identifier: AGPL-3.0-or-later
// Stories of services that are worn out, and of passwords that are guessed.
import { Flag, type Host } from "../../../scripts/fixtures/frames.ts";
import { SERVER } from "../../../scripts/fixtures/hosts.ts";
import { clientHello, httpGet, httpOk, serverHello } from "../../../scripts/fixtures/messages.ts";
import type { Exchange, Scene } from "../../../scripts/fixtures/scene.ts";
import { client, server } from "../../../scripts/fixtures/talks.ts";
import { colleague, connect, evenly, page, SECOND, stranger } from "./office.ts";
import type { Story } from "./story.ts";

const { SYN, ACK, PSH } = Flag;
const OUTSIDE = stranger(9);

export const services: readonly Story[] = [
  {
    detector: "http_flood",
    attack: "one client that asks 250 times a second",
    attacks: (scene) =>
      evenly(5, 250, (atUs, number) => visit(scene, atUs, OUTSIDE, number, page("/search"))),
    harmless: "a hundred readers that ask three times a second each",
    behaves: (scene) =>
      evenly(5, 300, (atUs, number) =>
        visit(scene, atUs, stranger(number % 100), number, page(`/page/${number % 40}`)),
      ),
  },
  {
    detector: "http_flood",
    attack: "one client from outside that makes 150 TLS connections a second",
    attacks: (scene) =>
      evenly(6, 150, (atUs, number) => visit(scene, atUs, OUTSIDE, number, greeting(scene), 443)),
    harmless: "an application that opens a connection to its database for each of 180 queries",
    behaves: (scene) =>
      evenly(6, 180, (atUs, number) =>
        visit(scene, atUs, colleague(1), number, query(scene), 5432),
      ),
  },
  {
    detector: "http_flood",
    attack: "a neighbour that makes 150 connections a second and says nothing",
    attacks: (scene) =>
      evenly(6, 150, (atUs, number) => visit(scene, atUs, colleague(1), number, [])),
    harmless: "neighbours that check a hundred ports of it without a word, every second",
    behaves: (scene) =>
      evenly(6, 150, (atUs, number) =>
        visit(scene, atUs, colleague(1), number, [], 8000 + (number % 100)),
      ),
  },
  {
    detector: "http_flood",
    attack:
      "a neighbour that, after a quiet quarter of an hour, makes 150 TLS connections a second",
    attacks: (scene) => sudden(scene, 150),
    harmless: "one that makes two a second then",
    behaves: (scene) => sudden(scene, 2),
  },
  {
    detector: "slow_dos",
    attack: "thirty connections of one client with half a request each",
    attacks: (scene) =>
      evenly(30, 1, (_, number) => {
        open(scene, number * 1000, OUTSIDE, 2000 + number);
        const header = { from: 2000 + number, to: 80, flags: PSH | ACK, sequence: 1 };
        const half = Buffer.from("GET / HTTP/1.1\r\nX-a: b\r\n");
        scene.segment(
          number * 1000 + 2000,
          OUTSIDE,
          SERVER,
          { ...header, acknowledgment: 1 },
          half,
        );
        late(scene, 14 * SECOND);
      }),
    harmless: "a hundred readers whose browsers keep a connection open",
    behaves: (scene) =>
      evenly(1, 100, (atUs, number) => {
        visit(scene, atUs, stranger(number), number, [
          ...page("/"),
          { from: "client", data: httpGet("intranet.example", "/late"), pauseUs: 25 * SECOND },
          { from: "server", data: httpOk(300) },
        ]);
      }),
  },
  {
    detector: "slow_read",
    attack: "thirty downloads of one client that takes nothing",
    attacks: (scene) =>
      evenly(1, 30, (atUs, number) => {
        const wants = download(scene, atUs, OUTSIDE, 3000 + number);
        for (let second = 1; second <= 16; second += 3) wants(second * SECOND, 0, 0);
      }),
    harmless: "sixty telephones with poor reception, whose windows shut now and then",
    behaves: (scene) =>
      evenly(1, 60, (atUs, number) => {
        const wants = download(scene, atUs, stranger(500), 3000 + number);
        for (let second = 1; second <= 24; second++) {
          wants(second * SECOND, second % 3 === 0 ? 0 : 300, 12_000);
        }
      }),
  },
  {
    detector: "tcp_handshake_failure",
    attack: "a mail server that is down, while everybody tries again",
    attacks: (scene) =>
      evenly(30, 40, (atUs, index) =>
        scene.refused(atUs, stranger(index % 20), SERVER, 10_000 + index, 25),
      ),
    harmless: "a mail server that refuses a connection now and then",
    behaves: (scene) =>
      evenly(30, 20, (atUs, number) => {
        if (number % 10 === 0)
          scene.refused(atUs, stranger(number % 20), SERVER, 9000 + number, 25);
        else visit(scene, atUs, stranger(number % 20), number, [server("220 mail\r\n")], 25);
      }),
  },
  {
    detector: "brute_force",
    attack: "one client that tries one password after the other by FTP",
    attacks: (scene) =>
      evenly(30, 1, (atUs, number) => visit(scene, atUs, OUTSIDE, number, login(false), 21)),
    harmless: "a user who mistypes the password twice, and a hundred who do not",
    behaves: (scene) =>
      evenly(100, 1, (atUs, number) => {
        if (number === 50 || number === 55) visit(scene, atUs, OUTSIDE, number, login(false), 21);
        visit(scene, atUs, stranger(number), 500 + number, login(true), 21);
      }),
  },
  {
    detector: "distributed_brute_force",
    attack: "thirty clients that try two passwords each by FTP",
    attacks: (scene) =>
      evenly(120, 0.5, (atUs, number) =>
        visit(scene, atUs, stranger(number % 30), number, login(false), 21),
      ),
    harmless: "a busy morning: a hundred clients log in, every fifth at the second attempt",
    behaves: (scene) =>
      evenly(300, 0.5, (atUs, number) => {
        const user = stranger(number % 100);
        if (number % 5 === 0) visit(scene, atUs, user, number, login(false), 21);
        visit(scene, atUs + 3 * SECOND, user, 5000 + number, login(true), 21);
        visit(scene, atUs + 4 * SECOND, user, 9000 + number, webLogin(), 80);
      }),
  },
  {
    detector: "distributed_brute_force",
    attack: "forty clients with two short SSH connections each",
    attacks: (scene) =>
      evenly(160, 0.5, (atUs, number) =>
        visit(scene, atUs, stranger(number % 40), number, secureShell(1500, 900), 22),
      ),
    harmless: "forty people who work by SSH",
    behaves: (scene) =>
      evenly(160, 0.5, (atUs, number) =>
        visit(scene, atUs, stranger(number % 40), number, secureShell(3000, 9000), 22),
      ),
  },
];

function visit(
  scene: Scene,
  atUs: number,
  from: Host,
  number: number,
  exchanges: readonly Exchange[],
  port = 80,
): void {
  connect(scene, atUs, { client: from, server: SERVER, port, number }, exchanges);
}

/** A quarter of an hour of a neighbour that greets now and then, and another that does so often for fifteen seconds. */
function sudden(scene: Scene, perSecond: number): void {
  evenly(900, 0.2, (atUs, number) =>
    visit(scene, atUs + scene.random(5 * SECOND), colleague(2), number, greeting(scene), 443),
  );
  const greet = (atUs: number, number: number): void =>
    visit(scene, atUs, colleague(1), number, greeting(scene), 443);
  evenly(15, perSecond, greet, 900 * SECOND);
}

/** The beginning of TLS. */
function greeting(scene: Scene): readonly Exchange[] {
  const hello = { serverName: "shop.example.com", alpn: ["h2", "http/1.1"], tls13: true };
  return [client(clientHello(scene.random, hello)), server(serverHello(scene.random))];
}

/** A question to a database whose protocol nobody here reads, and its answer. */
function query(scene: Scene): readonly Exchange[] {
  const bytes = (length: number): Buffer =>
    Buffer.from(Array.from({ length }, () => 128 + scene.random(128)));
  return [client(bytes(90)), server(bytes(400))];
}

/** An FTP login. */
function login(succeeds: boolean): readonly Exchange[] {
  return [
    server("220 files.example FTP ready\r\n"),
    client("USER a\r\n"),
    server("331 Password\r\n"),
    client("PASS b\r\n"),
    server(succeeds ? "230 Welcome.\r\n" : "530 Login incorrect.\r\n"),
  ];
}

/** A page that wants a password first. */
function webLogin(): readonly Exchange[] {
  return [
    client(httpGet("intranet.example", "/inbox")),
    server("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"),
    ...page("/inbox"),
  ];
}

/** Banners, the key exchange, and what the server says in the session. */
function secureShell(keyBytes: number, sessionBytes: number): readonly Exchange[] {
  return [
    server("SSH-2.0-OpenSSH_9.2\r\n"),
    client("SSH-2.0-libssh2_1.11.0\r\n"),
    server(Buffer.alloc(keyBytes, 0x11)),
    client(Buffer.alloc(700, 0x12)),
    server(Buffer.alloc(sessionBytes, 0x13)),
  ];
}

function open(scene: Scene, atUs: number, from: Host, port: number): void {
  scene.segment(atUs, from, SERVER, { from: port, to: 80, flags: SYN });
  const answer = { from: 80, to: port, flags: SYN | ACK, acknowledgment: 1 };
  scene.segment(atUs + 400, SERVER, from, answer);
  const last = { from: port, to: 80, flags: ACK, sequence: 1, acknowledgment: 1 };
  scene.segment(atUs + 800, from, SERVER, last);
}

/** A packet of somebody else, so that time goes on. */
function late(scene: Scene, atUs: number): void {
  scene.ping(atUs, stranger(1), SERVER, 1);
}

/** Begins a download; returns what lets the server send so many bytes and the client answer with a window. */
function download(
  scene: Scene,
  atUs: number,
  from: Host,
  port: number,
): (afterUs: number, window: number, bytes: number) => void {
  open(scene, atUs, from, port);
  const request = httpGet("intranet.example", "/film");
  const header = { from: port, to: 80, flags: PSH | ACK, sequence: 1, acknowledgment: 1 };
  scene.segment(atUs + 1000, from, SERVER, { ...header, window: 1152 }, request);
  let sent = 1;
  const acknowledgment = 1 + request.length;
  return (afterUs, window, bytes) => {
    for (let left = bytes; left > 0; left -= 1000) {
      const data = { from: 80, to: port, flags: ACK, sequence: sent, acknowledgment };
      scene.segment(atUs + afterUs, SERVER, from, data, Buffer.alloc(1000, 0x20));
      sent += 1000;
    }
    const taken = { from: port, to: 80, flags: ACK, sequence: acknowledgment, window };
    scene.segment(atUs + afterUs + 900, from, SERVER, { ...taken, acknowledgment: sent });
  };
}
