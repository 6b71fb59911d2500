// SPDX-License-Identifier: AGPL-3.0-or-later
// Who is blamed where a fresh agent hears two machines claim one address, as packets through the whole agent.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { arp, type Host } from "../../scripts/fixtures/frames.ts";
import { ATTACKER, CLIENT, GATEWAY, SERVER } from "../../scripts/fixtures/hosts.ts";
import type { Scene } from "../../scripts/fixtures/scene.ts";
import { EVERYBODY, evenly, MINUTE, SECOND } from "./stories/office.ts";
import { play, type Telling } from "./stories/story.ts";

const folder = mkdtempSync(join(tmpdir(), "nam-arp-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function accusations(telling: Telling): Promise<string[]> {
  const events = await play(telling, join(folder, "arp.pcap"));
  const accused = events
    .filter(({ detector, severity }) => detector === "arp_spoof" && severity !== "info")
    .map(({ entity }) => `${entity.mac} for ${entity.destination}`);
  return [...new Set(accused)].sort();
}

/** Replies in the name of `of`, told to `to`, as ettercap and arpspoof send them. */
function poison(scene: Scene, of: Host, to: Host, times: { fromUs: number; perSecond: number }) {
  const lie = { mac: ATTACKER.mac, ip: of.ip };
  evenly(60, times.perSecond, (atUs) => scene.frame(atUs, arp(2, lie, to)), times.fromUs);
}

/** The client, the server and the gateway find each other every few seconds. */
function everyday(scene: Scene, fromUs: number): void {
  evenly(120, 0.25, (atUs) => scene.resolve(atUs, CLIENT, GATEWAY), fromUs);
  evenly(120, 0.2, (atUs) => scene.resolve(atUs + 1e5, SERVER, GATEWAY), fromUs);
  evenly(120, 0.1, (atUs) => scene.resolve(atUs + 2e5, GATEWAY, CLIENT), fromUs);
}

function announce(scene: Scene, atUs: number, host: Host): void {
  const everybody = { mac: EVERYBODY, ip: host.ip };
  scene.frame(atUs, arp(1, host, everybody));
  scene.frame(atUs + 1000, arp(2, host, everybody));
}

const ACCUSED = [`${ATTACKER.mac} for ${GATEWAY.ip}`];

describe("ARP on a fresh agent", () => {
  it.each([1, 2])(
    "blames the poisoner who was heard first, at %i replies a second",
    async (perSecond) => {
      const told = await accusations((scene) => {
        poison(scene, GATEWAY, CLIENT, { fromUs: 0, perSecond });
        everyday(scene, 5 * SECOND);
      });
      expect(told).toEqual(ACCUSED);
    },
  );

  it("blames the poisoner who was heard first for longer than makes a binding stable", async () => {
    const told = await accusations((scene) => {
      const lie = { mac: ATTACKER.mac, ip: GATEWAY.ip };
      evenly(700, 1, (atUs) => scene.frame(atUs, arp(2, lie, CLIENT)));
      everyday(scene, 11 * MINUTE);
    });
    expect(told).toEqual(ACCUSED);
  });

  it("blames the poisoner who came after the owner", async () => {
    const told = await accusations((scene) => {
      everyday(scene, 0);
      poison(scene, GATEWAY, CLIENT, { fromUs: 8.5 * SECOND, perSecond: 1 });
    });
    expect(told).toEqual(ACCUSED);
  });

  it("blames the poisoner of both directions for both addresses, and nobody else", async () => {
    const told = await accusations((scene) => {
      poison(scene, GATEWAY, CLIENT, { fromUs: 0, perSecond: 1 });
      poison(scene, CLIENT, GATEWAY, { fromUs: 1000, perSecond: 1 });
      everyday(scene, 5.5 * SECOND);
    });
    expect(told).toEqual([...ACCUSED, `${ATTACKER.mac} for ${CLIENT.ip}`].sort());
  });

  it("goes on blaming the poisoner who tells the truth when leaving", async () => {
    const told = await accusations((scene) => {
      poison(scene, GATEWAY, CLIENT, { fromUs: 0, perSecond: 1 });
      everyday(scene, 5 * SECOND);
      evenly(3, 1, (atUs) => scene.frame(atUs, arp(2, GATEWAY, CLIENT)), 61 * SECOND);
    });
    expect(told).toEqual(ACCUSED);
  });

  it("blames nobody where a spare takes an address over and announces it", async () => {
    const spare = { mac: "02:00:00:00:00:99", ip: SERVER.ip };
    const told = await accusations((scene) => {
      evenly(60, 0.5, (atUs) => scene.resolve(atUs, CLIENT, SERVER));
      evenly(5, 1, (atUs) => announce(scene, atUs, spare), 60 * SECOND);
      evenly(300, 0.5, (atUs) => scene.resolve(atUs, CLIENT, spare), 66 * SECOND);
    });
    expect(told).toEqual([]);
  });
});
