// SPDX-License-Identifier: AGPL-3.0-or-later
// Stories of language models and their tools in clear text.
import type { Host } from "../../../scripts/fixtures/frames.ts";
import { SERVER } from "../../../scripts/fixtures/hosts.ts";
import type { Exchange, Scene } from "../../../scripts/fixtures/scene.ts";
import { client, server } from "../../../scripts/fixtures/talks.ts";
import { colleague, connect, DAY, evenly, MINUTE, quiet, SECOND, stranger } from "./office.ts";
import type { Story } from "./story.ts";

const OUTSIDE = stranger(9);
const PASSWORD = "Authorization: Bearer secret\r\n";
const GRANTED = "200 OK";

export const agents: readonly Story[] = [
  {
    detector: "ai_direct_ip",
    attack: "a chat with a model on the internet that has an address and no name",
    attacks: (scene) => chat(scene, SECOND, OUTSIDE, ask(OUTSIDE.ip, "")),
    harmless: "a chat with one that has a name",
    behaves: (scene) => chat(scene, SECOND, OUTSIDE, ask("models.example", "")),
  },
  {
    detector: "ai_server_exposed",
    attack: "a model server of the office that answers without a password",
    attacks: (scene) => chat(scene, SECOND, SERVER, ask("models.office", "")),
    harmless: "one that asks for it, and gets it then",
    behaves: (scene) => {
      chat(scene, SECOND, SERVER, ask("models.office", "", "401 Unauthorized"));
      chat(scene, 2 * SECOND, SERVER, ask("models.office", PASSWORD));
    },
  },
  {
    detector: "ai_lateral",
    attack: "a machine that talks to the model server of the office after two days",
    attacks: (scene) => {
      quiet(scene, 2 * DAY);
      chat(scene, 2 * DAY + MINUTE, SERVER, ask("models.office", PASSWORD));
    },
    harmless: "one that does so every day",
    behaves: (scene) => {
      quiet(scene, 2 * DAY);
      evenly(1, 3, (_, day) =>
        chat(scene, day * DAY + MINUTE, SERVER, ask("models.office", PASSWORD)),
      );
    },
  },
];

function chat(scene: Scene, atUs: number, host: Host, exchanges: readonly Exchange[]): void {
  const number = scene.random(60_000);
  connect(scene, atUs, { client: colleague(4), server: host, port: 8000, number }, exchanges);
}

/** A question by the interface that most model servers have, and its answer. */
function ask(host: string, password: string, outcome = GRANTED): readonly Exchange[] {
  const question = JSON.stringify({ model: "m", messages: [{ role: "user", content: "Hello" }] });
  const answer = JSON.stringify({
    ...{ id: "chatcmpl-1", object: "chat.completion", model: "m" },
    choices: [{ index: 0, message: { role: "assistant", content: "Hello." } }],
  });
  const json = (text: string): string =>
    `Content-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
  return [
    client(`POST /v1/chat/completions HTTP/1.1\r\nHost: ${host}\r\n${password}${json(question)}`),
    server(`HTTP/1.1 ${outcome}\r\n${json(answer)}`),
  ];
}
