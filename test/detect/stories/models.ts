// SPDX-License-Identifier: AGPL-3.0-or-later
// Stories of programs that talk to language models, and of where they go then.
import type { Host } from "../../../scripts/fixtures/frames.ts";
import { CLIENT } from "../../../scripts/fixtures/hosts.ts";
import {
  applicationData,
  clientHello,
  handshakeRecord,
  serverHello,
} from "../../../scripts/fixtures/messages.ts";
import type { Exchange, Scene } from "../../../scripts/fixtures/scene.ts";
import { client, server } from "../../../scripts/fixtures/talks.ts";
import { connect, DAY, evenly, HOUR, MINUTE, quiet, SECOND, stranger } from "./office.ts";
import type { Story } from "./story.ts";

const MODEL = stranger(9);
const OPENAI = "api.openai.com";
const FINISHED = Buffer.concat([
  handshakeRecord(0x0303, Buffer.alloc(66, 0x10)),
  applicationData(40),
]);
/** What Chromium offers, and Firefox (recorded of versions of 2024 on). */
const SHARED = [0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014];
const SHARED_OLD = [0x009c, 0x009d, 0x002f, 0x0035];
const CHROMIUM = [0x1301, 0x1302, 0x1303, ...SHARED, ...SHARED_OLD];
const FIREFOX = [...CHROMIUM, 0xc00a, 0xc009];
/** When it is known what is usual. */
const KNOWN = 28 * HOUR;

export const models: readonly Story[] = [
  {
    detector: "ai_new_provider",
    attack: "a machine that begins to use a language model after two days",
    attacks: (scene) => {
      quiet(scene, 2 * DAY);
      encrypted(scene, 2 * DAY + MINUTE, call());
    },
    harmless: "one that uses it every day",
    behaves: (scene) => {
      quiet(scene, 2 * DAY);
      evenly(1, 3, (_, day) => encrypted(scene, day * DAY + MINUTE, call()));
    },
  },
  {
    detector: "ai_fingerprint",
    attack: "a program that greets its model as Chromium does, where Firefox did for two days",
    attacks: (scene) => twoDays(scene, FIREFOX, CHROMIUM),
    harmless: "Firefox, as ever",
    behaves: (scene) => twoDays(scene, FIREFOX, FIREFOX),
  },
  {
    detector: "ai_unknown_stream",
    attack: "token streams from a server that is no known provider's",
    attacks: (scene) =>
      evenly(1, 4, (_, minute) =>
        encrypted(scene, minute * MINUTE, tokens(), { name: "api.models.example" }),
      ),
    harmless: "pages from it",
    behaves: (scene) =>
      evenly(1, 4, (_, minute) =>
        encrypted(scene, minute * MINUTE, call(), { name: "api.models.example" }),
      ),
  },
  {
    detector: "ai_runaway_loop",
    attack: "a program that calls its model five times a second for five minutes",
    attacks: (scene) => encrypted(scene, 0, calls(1500, 200)),
    harmless: "one that calls it every other second",
    behaves: (scene) => encrypted(scene, 0, calls(150, 2000)),
  },
  {
    detector: "ai_upload_jump",
    attack: "six megabytes that a machine hands to its model, which gets one kilobyte usually",
    attacks: (scene) => {
      aDayAtWork(scene);
      encrypted(scene, KNOWN + MINUTE, call(6e6));
    },
    harmless: "the same kilobyte once more",
    behaves: (scene) => {
      aDayAtWork(scene);
      encrypted(scene, KNOWN + MINUTE, call());
    },
  },
  {
    detector: "ai_beacon",
    attack: "a program that asks a model every ten minutes for hours, always for as much",
    attacks: (scene) =>
      evenly(1, 32, (_, number) => encrypted(scene, number * 10 * MINUTE, call())),
    harmless: "a person who asks it now and then, this and that",
    behaves: (scene) => {
      let atUs = 0;
      evenly(1, 32, () => {
        atUs += (1 + scene.random(25)) * MINUTE;
        encrypted(scene, atUs, call(300 + scene.random(9000)));
      });
    },
  },
  {
    detector: "ai_tool_fanout",
    attack: "an agent that goes to thirty domains right after its model's reply",
    attacks: (scene) => {
      aDayAtWork(scene);
      const atUs = KNOWN;
      evenly(3, 10, (afterUs, number) => visit(scene, atUs + SECOND + afterUs, number, 900));
    },
    harmless: "one that goes to two",
    behaves: (scene) => {
      aDayAtWork(scene);
      evenly(1, 2, (afterUs, number) => visit(scene, KNOWN + SECOND + afterUs, number, 900));
    },
  },
  {
    detector: "ai_new_destination",
    attack: "an agent that carries forty kilobytes to a domain of nobody's right after a reply",
    attacks: (scene) => {
      aDayAtWork(scene);
      visit(scene, KNOWN + 5 * SECOND, 7, 40_000);
    },
    harmless: "one that only fetches a page there",
    behaves: (scene) => {
      aDayAtWork(scene);
      visit(scene, KNOWN + 5 * SECOND, 7, 300);
    },
  },
];

/** A request and its reply. */
function call(bytes = 900): readonly Exchange[] {
  const parts = Array.from({ length: Math.ceil(bytes / 16_000) }, (_, at) =>
    client(applicationData(Math.min(16_000, bytes - 16_000 * at))),
  );
  return [...parts, { from: "server", data: applicationData(6000), pauseUs: 40_000 }];
}

function calls(count: number, everyMs: number): readonly Exchange[] {
  return Array.from({ length: count }, () => [
    { ...client(applicationData(900)), pauseUs: everyMs * 1000 },
    server(applicationData(600)),
  ]).flat();
}

/** A request whose reply comes in sixty small records, one after the other. */
function tokens(): readonly Exchange[] {
  const token = { from: "server", data: applicationData(140), pauseUs: 30_000 } as const;
  return [client(applicationData(900)), ...Array.from({ length: 60 }, () => token)];
}

/** A TLS connection of its own to a model. */
function encrypted(
  scene: Scene,
  atUs: number,
  talk: readonly Exchange[],
  about: {
    readonly name?: string;
    readonly host?: Host;
    readonly ciphers?: readonly number[];
  } = {},
): void {
  const { name = OPENAI, host = MODEL, ciphers } = about;
  const number = scene.random(60_000);
  connect(scene, atUs, { client: CLIENT, server: host, port: 443, number }, [
    client(
      clientHello(scene.random, { serverName: name, tls13: true, ...(ciphers ? { ciphers } : {}) }),
    ),
    server(serverHello(scene.random)),
    client(FINISHED),
    ...talk,
  ]);
}

/** Calls of one program on each of two days, and of another one, which also browses, after them. */
function twoDays(scene: Scene, before: readonly number[], after: readonly number[]): void {
  quiet(scene, 2 * DAY);
  const elsewhere = { name: "www.shop.example", host: stranger(8) };
  for (const [day, ciphers] of [before, before, after].entries()) {
    evenly(1, 5, (afterUs) => {
      const atUs = day * DAY + MINUTE + 10 * afterUs;
      encrypted(scene, atUs, call(), { ciphers });
      encrypted(scene, atUs + SECOND / 2, call(), { ...elsewhere, ciphers });
    });
  }
}

/** A day and more in which an agent is at work every few hours, as often as it needs; the last call ends when it is known. */
function aDayAtWork(scene: Scene): void {
  for (let atUs = 4 * HOUR; atUs <= KNOWN; atUs += 4 * HOUR) {
    for (let before = 3; before > 0; before--) {
      const ago = before * 90 * SECOND + scene.random(20 * SECOND);
      encrypted(scene, atUs - ago, call(500 + scene.random(3000)));
    }
    encrypted(scene, atUs, call(500 + scene.random(3000)));
  }
}

/** Data for a server of which there are many. */
function visit(scene: Scene, atUs: number, number: number, bytes: number): void {
  const about = { name: `site${number}.example`, host: stranger(3000 + number) };
  encrypted(scene, atUs, call(bytes), about);
}
