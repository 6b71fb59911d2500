// SPDX-License-Identifier: AGPL-3.0-or-later
// Stories of what was never there before, and of what is there no more.
import type { Host } from "../../../scripts/fixtures/frames.ts";
import { CLIENT, GATEWAY, SERVER } from "../../../scripts/fixtures/hosts.ts";
import { clientHello, serverHello } from "../../../scripts/fixtures/messages.ts";
import type { Scene } from "../../../scripts/fixtures/scene.ts";
import { colleague, connect, DAY, evenly, HOUR, page, quiet, SECOND, stranger } from "./office.ts";
import type { Story } from "./story.ts";

export const newcomers: readonly Story[] = [
  {
    detector: "new_host",
    attack: "a machine that is plugged in after a day without it",
    attacks: (scene) => greetings(scene, colleague(1)),
    harmless: "a machine that was there on the first day",
    behaves: (scene) => greetings(scene, CLIENT),
  },
  {
    detector: "new_service",
    attack: "a server that accepts connections on another port after a day",
    attacks: (scene) => visits(scene, DAY, [80, 8080]),
    harmless: "a server that refuses them there",
    behaves: (scene) => {
      visits(scene, DAY, [80, 80]);
      scene.refused(DAY + HOUR, CLIENT, SERVER, 50_000, 8080);
    },
  },
  {
    detector: "rare_combo",
    attack: "HTTP on a port on which it was not spoken for a week",
    attacks: (scene) => visits(scene, 7 * DAY, [80, 9999]),
    harmless: "HTTP where it always was",
    behaves: (scene) => visits(scene, 7 * DAY, [80, 80]),
  },
  {
    detector: "rare_tls",
    attack: "a hello of another program than those of the week before",
    attacks: (scene) => hellos(scene, ["h2", "http/1.1"], []),
    harmless: "another hello of the same program",
    behaves: (scene) => hellos(scene, ["h2"], ["h2"]),
  },
  {
    detector: "silence",
    settings: { silence: { learn_seconds: 60 } },
    attack: "a link that had packets all the time, and has none for two minutes",
    attacks: (scene) => pings(scene, 1),
    harmless: "a link that has some only now and then",
    behaves: (scene) => pings(scene, 4),
  },
];

/** The gateway and a machine find each other on the first day, and the gateway and `late` after it. */
function greetings(scene: Scene, late: Host): void {
  quiet(scene, DAY);
  scene.resolve(SECOND, CLIENT, GATEWAY);
  scene.resolve(DAY + HOUR, late, GATEWAY);
}

/** A page from one port at the start, and from another one when so much time is over. */
function visits(scene: Scene, laterUs: number, [first, second]: readonly [number, number]): void {
  quiet(scene, laterUs);
  const visit = (atUs: number, port: number): void =>
    connect(scene, atUs, { client: CLIENT, server: SERVER, port, number: port }, page("/"));
  visit(SECOND, first);
  visit(laterUs + HOUR, second);
}

/** TLS at the start, and after a week; each with the protocols that its client speaks. */
function hellos(scene: Scene, before: readonly string[], after: readonly string[]): void {
  quiet(scene, 7 * DAY);
  const greet = (atUs: number, alpn: readonly string[], number: number): void =>
    connect(scene, atUs, { client: CLIENT, server: stranger(9), port: 443, number }, [
      {
        from: "client",
        data: clientHello(scene.random, { serverName: "a.example", alpn, tls13: true }),
      },
      { from: "server", data: serverHello(scene.random) },
    ]);
  greet(SECOND, before, 1);
  greet(7 * DAY + HOUR, after, 2);
}

/** Two minutes with a ping every so many seconds, and one after two minutes more. */
function pings(scene: Scene, everySeconds: number): void {
  evenly(120, 1 / everySeconds, (atUs, index) => scene.ping(atUs, CLIENT, SERVER, index));
  scene.ping(240 * SECOND, CLIENT, SERVER, 1);
}
