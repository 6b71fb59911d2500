// SPDX-License-Identifier: AGPL-3.0-or-later
// What the stories of harmless traffic are told with: hosts, and conversations of a few kinds.
import { randomBytes } from "../../fixtures/bytes.ts";
import type { Host } from "../../fixtures/frames.ts";
import { Flag, IpProtocol, packet, udp } from "../../fixtures/frames.ts";
import {
  applicationData,
  clientHello,
  DnsType,
  httpGet,
  httpOk,
  serverHello,
} from "../../fixtures/messages.ts";
import type { Exchange, Scene } from "../../fixtures/scene.ts";

export const SECOND_US = 1e6;
export const GATEWAY: Host = { mac: "02:00:00:00:00:01", ip: "10.20.0.1" };

/** Harmless traffic of one kind. */
export interface BenignStory {
  readonly name: string;
  tell(scene: Scene): void;
}

/** A host of the home network. */
export function home(number: number): Host {
  const [high, low] = [number >> 8, number & 255];
  return { mac: `02:00:00:01:${hex(high)}:${hex(low)}`, ip: `10.20.${high}.${low}` };
}

/** A host outside, behind the gateway. */
export function far(number: number): Host {
  return {
    mac: GATEWAY.mac,
    ip: `198.${18 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`,
  };
}

export function ephemeral(scene: Scene): number {
  return 32_768 + scene.random(28_000);
}

/** Calls back `perSecond` times a second, at times that are a little uneven. */
export function every(
  scene: Scene,
  span: { readonly from?: number; readonly seconds: number; readonly perSecond: number },
  each: (atUs: number, index: number) => void,
): void {
  const { from = 0, seconds, perSecond } = span;
  const stepUs = SECOND_US / perSecond;
  for (let index = 0; index < seconds * perSecond; index++) {
    each(from * SECOND_US + index * stepUs + scene.random(stepUs / 4), index);
  }
}

export interface Talk {
  readonly client: Host;
  readonly server: Host;
  readonly port: number;
}

/** A connection from a port of its own. */
export function converse(
  scene: Scene,
  atUs: number,
  { client, server, port }: Talk,
  exchanges: readonly Exchange[],
): void {
  const clientPort = ephemeral(scene);
  scene.session(atUs, { client, server, clientPort, serverPort: port, exchanges });
}

/** A TLS connection with bytes in both directions. */
export function tls(
  scene: Scene,
  atUs: number,
  talk: Talk,
  { name = "www.example.com", up = 300, down = 3000, pauseUs = 20_000 } = {},
): void {
  const hello = { serverName: name, alpn: ["h2", "http/1.1"], tls13: true };
  const exchanges: Exchange[] = [
    { from: "client", data: clientHello(scene.random, hello) },
    { from: "server", data: serverHello(scene.random) },
    { from: "client", data: applicationData(up) },
    { from: "server", data: applicationData(down), pauseUs },
  ];
  converse(scene, atUs, talk, exchanges);
}

/** One request in clear text, on a connection of its own. */
export function http(scene: Scene, atUs: number, talk: Talk, bytes = 800): void {
  const exchanges: Exchange[] = [
    { from: "client", data: httpGet("app.example", "/api/item") },
    { from: "server", data: httpOk(bytes), pauseUs: 3000 },
  ];
  converse(scene, atUs, talk, exchanges);
}

/** A connection in which both say something that no decoder knows. */
export function binary(
  scene: Scene,
  atUs: number,
  talk: Talk,
  lengths: readonly (readonly ["client" | "server", number])[],
): void {
  const exchanges = lengths.map(([from, length]) => ({
    from,
    data: randomBytes(scene.random, length),
    pauseUs: 1000,
  }));
  converse(scene, atUs, talk, exchanges);
}

export function lookUp(scene: Scene, atUs: number, client: Host, name: string): void {
  const records = [{ type: DnsType.A, data: "198.18.0.80" }];
  scene.lookUp(atUs, client, GATEWAY, { name, type: DnsType.A }, { records });
}

/** An attempt that nobody answers, with its two retries. */
export function silent(scene: Scene, atUs: number, { client, server, port }: Talk): void {
  const from = ephemeral(scene);
  const sequence = scene.random(2 ** 31);
  for (const afterUs of [0, 1e6, 3e6]) {
    scene.segment(atUs + afterUs, client, server, { from, to: port, flags: Flag.SYN, sequence });
  }
}

/** Datagrams of one flow in both directions, at these rates. */
export function stream(
  scene: Scene,
  talk: Talk & { readonly clientPort?: number },
  rates: {
    readonly from?: number;
    readonly seconds: number;
    readonly up: number;
    readonly down: number;
    readonly bytes?: number;
  },
): void {
  const { client, server, port, clientPort = ephemeral(scene) } = talk;
  const { from = 0, seconds, up, down, bytes = 400 } = rates;
  const data = randomBytes(scene.random, bytes);
  // Whatever the payload is, it is no message that a decoder knows.
  data[0] = 0x99;
  const there = packet(client, server, IpProtocol.UDP, udp(client, server, clientPort, port, data));
  const back = packet(server, client, IpProtocol.UDP, udp(server, client, port, clientPort, data));
  if (up > 0) every(scene, { from, seconds, perSecond: up }, (atUs) => scene.frame(atUs, there));
  if (down > 0) {
    every(scene, { from, seconds, perSecond: down }, (atUs) => scene.frame(atUs + 500, back));
  }
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
