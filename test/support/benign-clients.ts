// SPDX-License-Identifier: AGPL-3.0-or-later
// Honest clients for SECONDS against ADDRESS: pages with keep-alive and without, downloads, DNS look-ups, pings.
import { spawn } from "node:child_process";
import { Resolver } from "node:dns/promises";
import { Agent, get } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

const [address = "127.0.0.1", seconds = "10"] = process.argv.slice(2);
const endMs = Date.now() + Number(seconds) * 1000;
const keepAlive = new Agent({ keepAlive: true, maxSockets: 2 });
const NAMES = ["www", "api", "mail", "cdn", "git", "ntp"];

function fetchBytes(bytes: number, agent: Agent | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    get(
      { host: address, port: 8080, path: `/?bytes=${bytes}`, ...(agent ? { agent } : {}) },
      (response) => {
        response.resume().once("end", resolve).once("error", reject);
      },
    ).once("error", reject);
  });
}

async function repeat(pauseMs: number, task: (round: number) => Promise<unknown>): Promise<void> {
  for (let round = 0; Date.now() < endMs; round++) {
    await task(round);
    // Uneven, as people are, and the same in every run.
    await delay(pauseMs * (0.5 + ((round * 7919) % 100) / 100));
  }
}

const resolver = new Resolver({ timeout: 1000, tries: 1 });
resolver.setServers([address]);
const ping = spawn("ping", ["-q", "-i", "1", "-w", seconds, address], { stdio: "ignore" });
await Promise.all([
  repeat(400, () => fetchBytes(6_000, keepAlive)),
  repeat(900, () => fetchBytes(20_000, undefined)),
  repeat(15_000, () => fetchBytes(8_000_000, undefined)),
  repeat(300, (round) => resolver.resolve4(`${NAMES[round % NAMES.length]}.lab.test`)),
  new Promise((resolve) => ping.once("exit", resolve)),
]);
keepAlive.destroy();
