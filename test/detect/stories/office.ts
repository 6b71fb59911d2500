// SPDX-License-Identifier: AGPL-3.0-or-later
// Who lives in the stories, and what they do all day.
import { u16 } from "../../../scripts/fixtures/bytes.ts";
import { type Host, IpProtocol, icmp, packet } from "../../../scripts/fixtures/frames.ts";
import { GATEWAY, SERVER } from "../../../scripts/fixtures/hosts.ts";
import {
  applicationData,
  clientHello,
  DnsType,
  httpGet,
  httpOk,
  serverHello,
} from "../../../scripts/fixtures/messages.ts";
import type { Exchange, Scene } from "../../../scripts/fixtures/scene.ts";

export const SECOND = 1e6;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const EVERYBODY = "ff:ff:ff:ff:ff:ff";

/** A machine of the office, by number from 0. */
export function colleague(number: number): Host {
  const [high, low] = [2 + Math.floor(number / 250), 1 + (number % 250)];
  return { mac: `02:00:00:01:${octet(high)}:${octet(low)}`, ip: `10.20.${high}.${low}` };
}

/** A machine of the Internet, seen behind the gateway. */
export function stranger(number: number): Host {
  const part = (shift: number): number => (number >>> shift) & 255;
  return { mac: GATEWAY.mac, ip: `198.${18 + (part(16) & 1)}.${part(8)}.${part(0)}` };
}

function octet(value: number): string {
  return value.toString(16).padStart(2, "0");
}

/** Calls `act` as often a second as told, evenly, for so many seconds. */
export function evenly(
  seconds: number,
  perSecond: number,
  act: (atUs: number, index: number) => void,
  fromUs = 0,
): void {
  for (let index = 0; index < seconds * perSecond; index++) {
    act(fromUs + (index * SECOND) / perSecond, index);
  }
}

/**
 * A network in which hardly anything happens: a ping every so often. Silence costs one window however long it is, so
 * days of it are told in no time; what is learned in days is learned all the same.
 */
export function quiet(scene: Scene, untilUs: number, everyUs = 12 * HOUR): void {
  for (let atUs = 0; atUs <= untilUs; atUs += everyUs) scene.ping(atUs, GATEWAY, SERVER, 1);
}

/** A connection; its client port follows from its number. */
export function connect(
  scene: Scene,
  atUs: number,
  ends: { client: Host; server: Host; port: number; number: number },
  exchanges: readonly Exchange[],
): void {
  const { client, server, port, number } = ends;
  const clientPort = 1024 + ((number * 7919) % 60_000);
  scene.session(atUs, { client, server, clientPort, serverPort: port, exchanges });
}

/** What a page takes, in clear text. */
export function page(path: string, bytes = 400): readonly Exchange[] {
  return [
    { from: "client", data: httpGet("intranet.example", path) },
    { from: "server", data: httpOk(bytes) },
  ];
}

/** A name look-up and a TLS connection to the site. */
export function browse(scene: Scene, atUs: number, client: Host, site: number): void {
  const name = `site${site}.example.com`;
  const server = stranger(60_000 + site);
  const records = [{ type: DnsType.A, data: server.ip }];
  scene.lookUp(atUs, client, GATEWAY, { name, type: DnsType.A }, { records });
  const hello = { serverName: name, alpn: ["h2", "http/1.1"], tls13: true };
  connect(scene, atUs + 5000, { client, server, port: 443, number: scene.random(60_000) }, [
    { from: "client", data: clientHello(scene.random, hello) },
    { from: "server", data: serverHello(scene.random) },
    { from: "client", data: applicationData(200) },
    { from: "server", data: applicationData(1200) },
  ]);
}

/** One ICMP echo message. */
export function echo(
  scene: Scene,
  atUs: number,
  ends: readonly [from: Host, to: Host],
  message: { readonly isReply: boolean; readonly sequence: number; readonly data: Buffer },
): void {
  const { isReply, sequence, data } = message;
  const rest = Buffer.concat([u16(0x4e41), u16(sequence)]).readInt32BE();
  scene.frame(atUs, packet(...ends, IpProtocol.ICMP, icmp(isReply ? 0 : 8, 0, rest >>> 0, data)));
}
