// SPDX-License-Identifier: AGPL-3.0-or-later
// DNS tunnels as packets: data in names, in several alphabets, lengths and speeds.

import { DnsType } from "../fixtures/messages.ts";
import type { Scene } from "../fixtures/scene.ts";
import { GATEWAY, home } from "./benign/network.ts";
import { replayStory } from "./benign.ts";
import { table } from "./section.ts";

const ALPHABETS: Readonly<Record<string, string>> = {
  hex: "0123456789abcdef",
  base32: "abcdefghijklmnopqrstuvwxyz234567",
  base64: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};
const PATIENCE_SECONDS = 300;
const MOST_QUERIES = 1500;

/** Seconds until a tunnel is told, by the length of its names and by its speed. */
export async function tunnelTable(folder: string): Promise<string> {
  const rows: string[][] = [];
  for (const length of [12, 24, 32, 63]) {
    for (const [name, alphabet] of Object.entries(ALPHABETS)) {
      const cells: string[] = [];
      for (const rate of [0.4, 5, 50]) cells.push(await told(alphabet, length, rate, folder));
      rows.push([`${length} characters`, name, ...cells]);
    }
  }
  return table(["Names", "Alphabet", "0.4/s", "5/s", "50/s"], rows);
}

async function told(
  alphabet: string,
  length: number,
  rate: number,
  folder: string,
): Promise<string> {
  const seconds = Math.min(PATIENCE_SECONDS, MOST_QUERIES / rate);
  let startUs = 0;
  const tell = (scene: Scene): void => {
    for (let query = 0; query < seconds * rate; query++) {
      const data = Array.from({ length }, () => alphabet[scene.random(alphabet.length)]).join("");
      const question = { name: `${data}.t.example.org`, type: DnsType.A };
      const answer = { records: [{ type: DnsType.A, data: "192.0.2.1" }] };
      scene.lookUp((query / rate) * 1e6, home(5), GATEWAY, question, answer);
    }
    startUs = scene.frames[0]?.timeUs ?? 0;
  };
  const { events } = await replayStory({ name: "", tell }, length, folder);
  const first = events.find(({ detector }) => detector === "dns_tunnel");
  if (!first) return "**not found**";
  const after = Math.round(first.time - startUs / 1e6);
  return first.severity === "info" ? `${after} s (info)` : `${after} s`;
}
