// SPDX-License-Identifier: AGPL-3.0-or-later
// Stories of names: asked for in vain, made up by machines, and full of data.
import { CLIENT, GATEWAY } from "../../../scripts/fixtures/hosts.ts";
import { DnsType, NXDOMAIN } from "../../../scripts/fixtures/messages.ts";
import type { Scene } from "../../../scripts/fixtures/scene.ts";
import { colleague, evenly } from "./office.ts";
import type { Story } from "./story.ts";

const LETTERS = "abcdefghijklmnopqrstuvwxyz";
const BASE32 = `${LETTERS}234567`;
const FOUND = { records: [{ type: DnsType.A, data: "192.0.2.7" }] };
const NOT_FOUND = { records: [], rcode: NXDOMAIN };

export const names: readonly Story[] = [
  {
    detector: "dns_flood",
    attack: "a resolver that is asked for ever new names below one domain, which do not exist",
    attacks: (scene) =>
      evenly(8, 120, (atUs, index) => {
        const name = `${text(scene, LETTERS, 8)}.victim.example`;
        ask(scene, atUs, { client: colleague(index % 40), name, answer: NOT_FOUND });
      }),
    harmless: "as many questions for the machines of one cloud, which exist",
    behaves: (scene) =>
      evenly(8, 120, (atUs, index) =>
        ask(scene, atUs, { client: colleague(index % 40), name: `node${index}.cloud.example` }),
      ),
  },
  {
    detector: "dns_tunnel",
    attack: "questions for TXT records whose names are data",
    attacks: (scene) =>
      evenly(30, 4, (atUs) => {
        const name = `${text(scene, BASE32, 40)}.t.tunnel.example`;
        const records = [{ type: DnsType.TXT, data: text(scene, BASE32, 120) }];
        ask(scene, atUs, { name, type: DnsType.TXT, answer: { records } });
      }),
    harmless: "a page that loads pictures from a hundred and twenty hosts of one domain",
    behaves: (scene) =>
      evenly(30, 4, (atUs, index) => ask(scene, atUs, { name: `img${index}.pictures.example` })),
  },
  {
    detector: "dga",
    attack: "one machine that looks for forty domains of random letters, which do not exist",
    attacks: (scene) =>
      evenly(40, 1, (atUs) =>
        ask(scene, atUs, { name: `${text(scene, LETTERS, 14)}.com`, answer: NOT_FOUND }),
      ),
    harmless: "a person who mistypes the names of five shops, and finds them then",
    behaves: (scene) =>
      evenly(40, 1, (atUs, index) => {
        const name = `www.shop${index % 5}.example`;
        if (index < 5) ask(scene, atUs, { name: `www.hsop${index}.example`, answer: NOT_FOUND });
        else ask(scene, atUs, { name });
      }),
  },
  {
    detector: "nxdomain_ratio",
    attack: "a machine that asks for a server that is no more, again and again",
    attacks: (scene) =>
      evenly(45, 2, (atUs, index) => {
        ask(scene, atUs, { name: "files.office.example", answer: NOT_FOUND });
        if (index % 10 === 0) ask(scene, atUs, { name: `www.shop${index}.example` });
      }),
    harmless: "a search list: every third name is found at the second attempt",
    behaves: (scene) =>
      evenly(45, 2, (atUs, index) => {
        const name = `www.shop${index % 20}.example`;
        if (index % 3 === 0)
          ask(scene, atUs, { name: `${name}.office.example`, answer: NOT_FOUND });
        ask(scene, atUs + 5000, { name });
      }),
  },
  {
    detector: "txt_ratio",
    attack: "a program that asks for its orders in TXT records",
    attacks: (scene) =>
      evenly(45, 2, (atUs) => {
        const answer = { records: [{ type: DnsType.TXT, data: "sleep" }] };
        ask(scene, atUs, { name: "orders.example", type: DnsType.TXT, answer });
      }),
    harmless: "a mail server that looks up who may send, once for every five names",
    behaves: (scene) =>
      evenly(45, 2, (atUs, index) => {
        const name = `mail${index % 20}.example`;
        const answer = { records: [{ type: DnsType.TXT, data: "v=spf1 -all" }] };
        if (index % 5 === 0) ask(scene, atUs, { name, type: DnsType.TXT, answer });
        else ask(scene, atUs, { name });
      }),
  },
];

interface Question {
  readonly name: string;
  readonly client?: typeof CLIENT;
  readonly type?: number;
  readonly answer?: Parameters<Scene["lookUp"]>[4];
}

/** One question to the gateway, and its answer. */
function ask(scene: Scene, atUs: number, question: Question): void {
  const { name, client = CLIENT, type = DnsType.A, answer = FOUND } = question;
  scene.lookUp(atUs, client, GATEWAY, { name, type }, answer);
}

/** So many characters at random. */
function text(scene: Scene, alphabet: string, length: number): string {
  const one = (): string => alphabet[scene.random(alphabet.length)] ?? "";
  return Array.from({ length }, one).join("");
}
