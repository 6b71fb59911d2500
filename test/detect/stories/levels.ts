// SPDX-License-Identifier: AGPL-3.0-or-later
// Stories of how much there is: more, less, at another time, creeping, and spread in another way.
import type { Host } from "../../../scripts/fixtures/frames.ts";
import { CLIENT, GATEWAY, SERVER } from "../../../scripts/fixtures/hosts.ts";
import { DnsType } from "../../../scripts/fixtures/messages.ts";
import type { Scene } from "../../../scripts/fixtures/scene.ts";
import { browse, colleague, DAY, evenly, MINUTE, quiet, SECOND, stranger } from "./office.ts";
import type { Story } from "./story.ts";

const STREAMER = stranger(9);
/** One minute makes a baseline here, and not ten. */
const SOON = { guards: { warmup_seconds: 60 } };
const WARM = 70;
const PER_HALF_HOUR = 30 * MINUTE;

export const levels: readonly Story[] = [
  {
    detector: "volume_spike",
    settings: SOON,
    attack: "a stream that is sixty times as much all of a sudden",
    attacks: (scene) => stream(scene, [WARM, 5], [10, 300]),
    harmless: "one that is twice as much",
    behaves: (scene) => stream(scene, [WARM, 5], [10, 10]),
  },
  {
    detector: "volume_drop",
    settings: SOON,
    attack: "a stream of which nearly nothing is left",
    attacks: (scene) => stream(scene, [WARM, 30], [15, 1]),
    harmless: "one of which a third is lost",
    behaves: (scene) => stream(scene, [WARM, 30], [15, 20]),
  },
  {
    detector: "level_shift",
    settings: SOON,
    attack: "a stream that is gone for good: after half an hour that is normal",
    attacks: (scene) => {
      stream(scene, [WARM, 5]);
      evenly(1, 20, (_, index) => datagram(scene, (WARM + 100 * (index + 1)) * SECOND));
    },
    harmless: "one that pauses for five minutes, with a sign of life now and then",
    behaves: (scene) => {
      stream(scene, [WARM, 5], [300, 1 / 20]);
      stream(scene, [60, 5], [0, 0], (WARM + 300) * SECOND);
    },
  },
  {
    detector: "seasonal",
    attack: "a quarter of a minute of work at an hour at which there was none on six days",
    attacks: (scene) => {
      quiet(scene, 6 * DAY, PER_HALF_HOUR);
      work(scene, 6);
    },
    harmless: "the same work at the same hour of every day",
    behaves: (scene) => {
      quiet(scene, 6 * DAY, PER_HALF_HOUR);
      for (let day = 2; day <= 6; day++) work(scene, day);
    },
  },
  {
    detector: "drift",
    settings: { drift: { minimum: 1 } },
    attack: "three percent more each minute, until it is thirty times as much",
    attacks: (scene) =>
      minutes(scene, 265, (minute) => Math.min(200, 7 * 1.03 ** Math.max(0, minute - 125))),
    harmless: "as many minutes of which every other has half as much more",
    behaves: (scene) => minutes(scene, 265, (minute) => (minute % 2 === 0 ? 40 : 60)),
  },
  {
    detector: "entropy_shift",
    settings: { entropy_shift: { windows: 12 } },
    attack: "questions from everywhere to one server, where each had been asked by a few",
    attacks: (scene) => {
      questions(scene, 0, 150, (index) => [colleague(index % 12), stranger(index % 30)]);
      questions(scene, 150, 40, (index) => [stranger(1000 + index), stranger(1)]);
    },
    harmless: "as many questions of everyday kind",
    behaves: (scene) =>
      questions(scene, 0, 190, (index) => [colleague(index % 12), stranger(index % 30)]),
  },
  {
    detector: "environment_change",
    settings: SOON,
    attack: "an uplink that dies: browsing, names, pings and neighbours all at once",
    attacks: (scene) => {
      everything(scene, WARM);
      scene.resolve((WARM + 25) * SECOND, CLIENT, GATEWAY);
    },
    harmless: "one that goes on",
    behaves: (scene) => everything(scene, WARM + 25),
  },
];

/** Datagrams of a stream, for so many seconds as many a second; then as many others. */
function stream(
  scene: Scene,
  [seconds, perSecond]: readonly [number, number],
  [later, thenPerSecond]: readonly [number, number] = [0, 0],
  fromUs = 0,
): void {
  evenly(seconds, perSecond, (atUs) => datagram(scene, atUs), fromUs);
  evenly(later, thenPerSecond, (atUs) => datagram(scene, atUs), fromUs + seconds * SECOND);
}

function datagram(scene: Scene, atUs: number, bytes = 200): void {
  scene.datagram(atUs, STREAMER, CLIENT, 5004, 6000, Buffer.alloc(bytes, 0x80));
}

/** Seven megabytes soon after nine o'clock, and a sign of life as soon as five minutes are over. */
function work(scene: Scene, day: number): void {
  const startUs = day * DAY + MINUTE;
  evenly(15, 350, (atUs) => datagram(scene, atUs, 1400), startUs);
  scene.ping(startUs + 5 * MINUTE, GATEWAY, SERVER, 1);
}

/** Minutes of which each has so many questions, all in its first second: the rest is silence, which costs nothing. */
function minutes(scene: Scene, count: number, asked: (minute: number) => number): void {
  for (let minute = 0; minute < count; minute++) {
    const fromUs = minute * 63 * SECOND;
    evenly(
      1,
      Math.round(asked(minute)),
      (atUs, index) => ask(scene, atUs, [colleague(index % 12), GATEWAY]),
      fromUs,
    );
  }
}

/** Answered questions, 25 a second, of which each is a flow. */
function questions(
  scene: Scene,
  from: number,
  seconds: number,
  ends: (index: number) => readonly [client: Host, server: Host],
): void {
  evenly(seconds, 25, (atUs, index) => ask(scene, atUs, ends(index)), from * SECOND);
}

function ask(scene: Scene, atUs: number, ends: readonly [client: Host, server: Host]): void {
  const records = [{ type: DnsType.A, data: "192.0.2.7" }];
  scene.lookUp(atUs, ...ends, { name: "www.example.com", type: DnsType.A }, { records });
}

/** A little of all that an office does, every second. */
function everything(scene: Scene, seconds: number): void {
  evenly(seconds, 2, (atUs, index) => {
    browse(scene, atUs, colleague(index % 20), index % 40);
    scene.resolve(atUs + 9000, colleague(index % 20), GATEWAY);
    scene.ping(atUs + 12_000, colleague(index % 20), GATEWAY, index);
  });
}
